package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.hardware.Processor;
import dev.penstock.model.Device;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.weights.ModelFolder;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.TinyModels;
import io.smallrye.config.PropertiesConfigSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.spi.ConfigSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelSettingsTest {
    @Test
    void theEmbeddedModelIsAModelFolderThatIsWrittenOnce(@TempDir Path home) throws IOException {
        Path folder = embedded(home);

        assertThat(ModelFolder.open(folder).shape().family()).isEqualTo("llama");
        var written = Files.getLastModifiedTime(folder.resolve("model.safetensors"));
        assertThat(embedded(home)).isEqualTo(folder);
        assertThat(Files.getLastModifiedTime(folder.resolve("model.safetensors")))
                .isEqualTo(written);
    }

    @Test
    void manyMayWriteTheEmbeddedModelAtOnceAndNothingElseRemains(@TempDir Path home) throws Exception {
        try (ExecutorService pool = Executors.newFixedThreadPool(8)) {
            List<Future<Path>> all = IntStream.range(0, 8)
                    .mapToObj(i -> pool.submit(() -> embedded(home)))
                    .toList();
            for (Future<Path> one : all) {
                assertThat(ModelFolder.open(one.get()).shape().family()).isEqualTo("llama");
            }
        }
        try (Stream<Path> left = Files.list(home.resolve("models"))) {
            assertThat(left).hasSize(1);
        }
    }

    @Test
    void aPlaceThatCannotBeWrittenToIsNamed(@TempDir Path home) throws IOException {
        Path file = Files.createFile(home.resolve("file"));

        assertThatThrownBy(() -> embedded(file))
                .isInstanceOf(StartException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("PENSTOCK_HOME");
    }

    private static ModelSettings settings(Path temp, String rest) {
        Path folder = TinyModels.mha().write(temp.resolve("model"));
        ConfigSource source =
                new PropertiesConfigSource(ModelSpec.parse("m=" + folder + rest).properties(), "test", 400);
        return ConfiguredModel.of(PenstockConfigTest.read(source), Map.of())
                .getFirst()
                .replicas()
                .getFirst()
                .settings();
    }

    @Test
    void precisionCacheAndThreadsFollowFromTheDevice(@TempDir Path temp) {
        ModelSettings cpu = settings(temp, "");
        assertThat(cpu.device()).isEqualTo(Device.CPU);
        assertThat(cpu.precision()).isEqualTo(Precision.INT4);
        assertThat(cpu.threads()).isEqualTo(Processor.defaultThreads());

        ModelSettings cuda = settings(temp, ",device=cuda:1");
        assertThat(cuda.device()).isEqualTo(new Device.Cuda(1));
        assertThat(cuda.precision()).isEqualTo(Precision.FP16);
        assertThat(cuda.kvType()).isEqualTo(KvType.FP16);
        assertThat(cuda.threads()).isEqualTo(1);

        assertThat(settings(temp, ",device=cuda:0,precision=int4").precision()).isEqualTo(Precision.INT4);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                ",precision=fp16 | can't be loaded: fp16 is for CUDA devices; on the CPU take int8 or int4",
                ",device=cuda:0,precision=fp32 | can't be loaded: fp32 is for the CPU; on CUDA devices take fp16",
                ",device=cuda:2,kv=int8 | kv int8, but on cuda:2 there is fp16 only",
            })
    void whatADeviceDoesNotHaveIsRefused(String rest, String message, @TempDir Path temp) {
        assertThatThrownBy(() -> settings(temp, rest))
                .isInstanceOf(StartException.class)
                .hasMessageContaining("The model m")
                .hasMessageContaining(message);
    }

    private static Path embedded(Path home) {
        return ModelSettings.embedded(new ModelStore(home)).folder().path();
    }
}
