package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.engine.EngineOptions;
import io.quarkus.runtime.configuration.DurationConverter;
import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.runtime.configuration.MemorySizeConverter;
import io.smallrye.config.ConfigValidationException;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.config.spi.ConfigSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PenstockConfigTest {
    static PenstockConfig read(ConfigSource... sources) {
        SmallRyeConfig config = new SmallRyeConfigBuilder()
                .withConverter(MemorySize.class, 200, new MemorySizeConverter())
                .withConverter(Duration.class, 200, new DurationConverter())
                .withMapping(PenstockConfig.class)
                .withSources(sources)
                .build();
        return config.getConfigMapping(PenstockConfig.class);
    }

    private static ConfigSource file(Path folder, String yaml) throws IOException {
        Path file = folder.resolve("penstock.yaml");
        Files.writeString(file, yaml);
        return ConfigFile.read(file);
    }

    @Test
    void everyDefaultIsTheDocumentedOne() {
        PenstockConfig config = read();

        assertThat(config.models()).isEmpty();
        assertThat(config.drainTimeout()).isEqualTo(Duration.ofSeconds(30));
        assertThat(config.http().maxBodySize().asLongValue()).isEqualTo(16 << 20);
        assertThat(config.http().keepAlive()).isEqualTo(Duration.ofSeconds(15));
        assertThat(config.http().retryAfter()).isEqualTo(Duration.ofSeconds(1));
        assertThat(config.engine().blockSize()).isEmpty();
        assertThat(config.engine().maxStepTokens()).isEqualTo(EngineOptions.DEFAULT_MAX_STEP_TOKENS);
        assertThat(config.engine().maxPromptTokensBesideDecodes())
                .isEqualTo(EngineOptions.DEFAULT_MAX_PROMPT_TOKENS_BESIDE_DECODES);
        assertThat(config.engine().maxRunning()).isEqualTo(EngineOptions.DEFAULT_MAX_RUNNING);
        assertThat(config.engine().maxWaiting()).isEqualTo(EngineOptions.DEFAULT_MAX_WAITING);
        assertThat(config.engine().prefixCache()).isTrue();
    }

    @Test
    void everyKeyCanBeSetInAFile(@TempDir Path folder) throws IOException {
        PenstockConfig config = read(file(folder, """
                        penstock:
                          drain-timeout: 5m
                          http:
                            max-body-size: 2M
                            keep-alive: 3s
                            retry-after: 4s
                          engine:
                            block-size: 32
                            max-step-tokens: 100
                            max-prompt-tokens-beside-decodes: 10
                            max-running: 8
                            max-waiting: 9
                            prefix-cache: false
                          models:
                            - name: lab/llama
                              folder: /models/llama
                            - name: small
                              folder: /models/small
                              device: "cuda:1"
                              precision: int8
                              threads: 3
                              context: 1000
                              kv-cache: 512M
                        """));

        assertThat(config.drainTimeout()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config.http().maxBodySize().asLongValue()).isEqualTo(2 << 20);
        assertThat(config.http().keepAlive()).isEqualTo(Duration.ofSeconds(3));
        assertThat(config.http().retryAfter()).isEqualTo(Duration.ofSeconds(4));
        assertThat(config.engine().blockSize()).hasValue(32);
        assertThat(config.engine().maxStepTokens()).isEqualTo(100);
        assertThat(config.engine().maxPromptTokensBesideDecodes()).isEqualTo(10);
        assertThat(config.engine().maxRunning()).isEqualTo(8);
        assertThat(config.engine().maxWaiting()).isEqualTo(9);
        assertThat(config.engine().prefixCache()).isFalse();
        PenstockConfig.Model first = config.models().getFirst();
        assertThat(first.name()).isEqualTo("lab/llama");
        assertThat(first.folder()).isEqualTo("/models/llama");
        assertThat(first.device()).isEqualTo("cpu");
        assertThat(first.precision()).isEmpty();
        assertThat(first.threads()).isEmpty();
        assertThat(first.context()).isEmpty();
        assertThat(first.kvCache()).isEmpty();
        PenstockConfig.Model second = config.models().getLast();
        assertThat(second.device()).isEqualTo("cuda:1");
        assertThat(second.precision()).hasValue("int8");
        assertThat(second.threads()).hasValue(3);
        assertThat(second.context()).hasValue(1000);
        assertThat(second.kvCache().map(MemorySize::asLongValue)).hasValue(512L << 20);
    }

    @Test
    void modelsOfTheCommandLineTakeThePlaceOfTheFilesModels(@TempDir Path folder) throws IOException {
        ConfigSource file = file(folder, """
                penstock:
                  drain-timeout: 5m
                  models:
                    - {name: a, folder: /a, precision: int8, context: 100}
                    - {name: b, folder: /b}
                """);
        ConfigSource commandLine =
                new PropertiesConfigSource(ModelSpec.parse("c=/c,threads=1").properties(0), "command line", 400);

        PenstockConfig config = read(ConfigFile.withoutModels(file), commandLine);

        assertThat(config.drainTimeout()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config.models()).hasSize(1);
        assertThat(config.models().getFirst().name()).isEqualTo("c");
        assertThat(config.models().getFirst().precision()).isEmpty();
        assertThat(config.models().getFirst().context()).isEmpty();
    }

    @Test
    void aKeyThatIsNotThereIsRefusedByName(@TempDir Path folder) throws IOException {
        ConfigSource source = file(folder, "penstock: {engine: {max-runing: 3}}");

        assertThatThrownBy(() -> read(source))
                .isInstanceOf(ConfigValidationException.class)
                .hasMessageContaining("penstock.engine.max-runing");
    }

    @Test
    void allWrongValuesAreToldAtOnce() {
        ConfigSource source = new PropertiesConfigSource(
                Map.of("penstock.engine.max-running", "many", "penstock.drain-timeout", "soon"), "test", 400);

        assertThatThrownBy(() -> read(source))
                .isInstanceOf(ConfigValidationException.class)
                .hasMessageContaining("penstock.engine.max-running")
                .hasMessageContaining("penstock.drain-timeout");
    }

    @Test
    void commentsWithoutEndAreRefused() {
        PenstockConfig config = read(new PropertiesConfigSource(Map.of("penstock.http.keep-alive", "0s"), "test", 400));

        assertThatThrownBy(() -> new Beans().limits(config))
                .isInstanceOf(StartException.class)
                .hasMessageContaining("penstock.http.keep-alive");
    }

    @Test
    void aFileThatIsNoYamlIsRefusedByName(@TempDir Path folder) throws IOException {
        for (String text : List.of("a: [1", "\tx: y", "a: b: c")) {
            assertThatThrownBy(() -> file(folder, text))
                    .isInstanceOf(StartException.class)
                    .hasMessageContaining("penstock.yaml");
        }
        assertThatThrownBy(() -> ConfigFile.read(folder.resolve("none.yaml")))
                .isInstanceOf(StartException.class)
                .hasMessageContaining("none.yaml");
    }
}
