package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.weights.ModelFolder;
import dev.penstock.weights.ModelStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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

    private static Path embedded(Path home) {
        return ModelSettings.embedded(new ModelStore(home)).folder().path();
    }
}
