package dev.penstock.weights;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.engine.OnnxModelRunner;
import dev.penstock.engine.RunnerConfig;
import dev.penstock.engine.StepBatch;
import dev.penstock.hardware.Gpus;
import dev.penstock.model.Device;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.weights.PackedRuns.Chunk;
import dev.penstock.weights.PackedRuns.Sequence;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Graphs for CUDA on cuda:0, where {@code PENSTOCK_ONNXRUNTIME} names a library with CUDA. Beside a GPU that may be the stand-in
 * of bench/cuda-stand-in, under which kernels compute nothing; numbers are compared on a GPU only.
 */
@EnabledIfEnvironmentVariable(named = "PENSTOCK_ONNXRUNTIME", matches = ".+")
class CudaSessionTest {
    private static final Device CUDA = new Device.Cuda(0);
    private static final int BLOCK_SIZE = 256;

    /** As on the CPU, though sums have 32 bits there. */
    private static final double FP16_TOLERANCE = 0.15;

    @TempDir
    Path temp;

    /** Those that CUDA's operators take. */
    static Stream<TinyModel> models() {
        return Stream.concat(
                Stream.of(TinyModels.mha(), TinyModels.mqaTied(), TinyModels.llama3(), TinyModels.headDim()),
                TinyFamilies.all()
                        .filter(t -> List.of(
                                        "qwen2",
                                        "qwen2, window above",
                                        "gemma, one key head",
                                        "gemma2",
                                        "gemma3",
                                        "phi3",
                                        "phi3, long",
                                        "mixtral")
                                .contains(t.toString())));
    }

    /** A node that had to go to the CPU would fail the load; the operators check what they are given before they compute. */
    @ParameterizedTest
    @MethodSource("models")
    void everyNodeHasAKernelThatTakesWhatItIsGiven(TinyModel tiny) {
        ModelFolder folder = ModelFolder.open(tiny.write(temp.resolve("model")));
        List<Precision> precisions =
                tiny.sparse() ? List.of(Precision.FP16) : List.of(Precision.FP16, Precision.INT8, Precision.INT4);
        for (Precision precision : precisions) {
            try (OnnxModelRunner runner = open(folder, precision)) {
                StepBatch prompts = new StepBatch(
                        new long[] {1, 2, 3, 4, 5},
                        5,
                        new int[] {0, 3, 5},
                        new int[] {0, 1},
                        2,
                        new int[] {1, 2},
                        1,
                        new long[] {2, 4},
                        2);
                assertThat(runner.run(prompts).byteSize()).isEqualTo(2L * tiny.vocab() * Float.BYTES);
                StepBatch decodes = new StepBatch(
                        new long[] {1, 2},
                        2,
                        new int[] {0, 1, 2},
                        new int[] {3, 2},
                        2,
                        new int[] {1, 2},
                        1,
                        new long[] {0, 1},
                        2);
                assertThat(runner.run(decodes).byteSize()).isEqualTo(2L * tiny.vocab() * Float.BYTES);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void logitsAreThoseOfTheReference(TinyModel tiny) {
        Assumptions.assumeFalse(Gpus.find().isEmpty() || tiny.sparse());
        Path folder = tiny.write(temp.resolve("model"));
        ReferenceModel reference = ReferenceModel.read(folder);
        Random random = new Random(tiny.seed());
        try (OnnxModelRunner runner = open(ModelFolder.open(folder), Precision.FP16)) {
            Sequence sequence = new Sequence(reference, PackedRuns.tokens(random, 60, tiny.vocab()), 0);
            for (int count : new int[] {30, 1, 20, 1, 8}) {
                assertThat(PackedRuns.greatestDifference(runner, new Chunk(sequence, count)))
                        .isLessThan(FP16_TOLERANCE);
            }
        }
    }

    private OnnxModelRunner open(ModelFolder folder, Precision precision) {
        Variant variant = new ModelStore(temp.resolve("store"))
                .build(folder, precision, BuildOptions.on(CUDA), BuildProgress.NONE);
        return OnnxModelRunner.open(
                variant.folder(), variant.shape(), new RunnerConfig(CUDA, 1, KvType.FP16, BLOCK_SIZE, 8, 64, 64));
    }
}
