package dev.penstock.ops.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.hardware.Gpu;
import dev.penstock.model.Device;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.weights.BuildOptions;
import dev.penstock.weights.ModelFolder;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.RandomModel;
import dev.penstock.weights.RawModel;
import dev.penstock.weights.TinyModels;
import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GpuFitTest {
    private static Gpu gpu(long freeBytes) {
        return new Gpu(1, "GPU", 80L << 30, freeBytes, OptionalInt.empty(), OptionalDouble.empty(), "9.0", false);
    }

    @Test
    void whatWeightsAndTheRestLeaveIsRoomForSequences() {
        RandomModel model = RandomModel.ofName("tinyllama-1.1b", 1).orElseThrow();
        long perSequence = 1000 * model.shape().kvBytesPerToken(KvType.FP16);
        long fp16 = ModelStore.weightBytes(model, Precision.FP16, BuildOptions.on(new Device.Cuda(0)));

        GpuFit fit = GpuFit.of(gpu((2L << 30) + fp16 + 3 * perSequence + 1), model, 1000);

        // 1.1 billion weights of two bytes.
        assertThat(fp16).isBetween(2_150_000_000L, 2_250_000_000L);
        assertThat(fit.fits().getFirst()).isEqualTo(new GpuFit.Fit("fp16", fp16, 3));
        assertThat(fit.fits()).extracting(GpuFit.Fit::precision).containsExactly("fp16", "int8", "mixed", "int4");
        assertThat(fit.fits()).extracting(GpuFit.Fit::mostSequences).isSorted();
        assertThat(fit.line())
                .startsWith(
                        "cuda:1, GPU, 4.1 of 80.0 GiB free: fp16 takes 2.05 GiB and leaves room for 3 sequences; int8");
        assertThat(GpuFit.of(gpu(1 << 30), model, 1000).fits()).allMatch(f -> f.mostSequences() == 0);
    }

    @Test
    void aModelThatGpusCannotRunIsToldWithTheReason(@TempDir Path temp) {
        RawModel narrow = (RawModel) ModelFolder.open(TinyModels.gqa().write(temp));

        GpuFit fit = GpuFit.of(gpu(40L << 30), narrow, 100);

        assertThat(fit.fits()).isEmpty();
        assertThat(fit.line()).contains("heads of 8 numbers");
    }
}
