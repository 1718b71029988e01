package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.backend.upstream.UpstreamLimits;
import dev.penstock.engine.EngineOptions;
import io.quarkus.runtime.configuration.DurationConverter;
import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.runtime.configuration.MemorySizeConverter;
import io.smallrye.config.ConfigValidationException;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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

    private static PenstockConfig.Model model(PenstockConfig config, String name) {
        return Objects.requireNonNull(config.models().get(name));
    }

    @Test
    void everyDefaultIsTheDocumentedOne() {
        PenstockConfig config = read();

        assertThat(config.models()).isEmpty();
        assertThat(config.drainTimeout()).isEqualTo(Duration.ofSeconds(30));
        assertThat(config.http().maxBodySize().asLongValue()).isEqualTo(16 << 20);
        assertThat(config.http().keepAlive()).isEqualTo(Duration.ofSeconds(15));
        assertThat(config.http().retryAfter()).isEqualTo(Duration.ofSeconds(1));
        assertThat(config.responses().keep()).isEqualTo(Duration.ofHours(24));
        assertThat(config.responses().maxCount()).isEqualTo(10_000);
        assertThat(config.responses().maxSize().asLongValue()).isEqualTo(64L << 20);
        assertThat(config.engine().blockSize()).isEmpty();
        assertThat(config.engine().maxStepTokens()).isEqualTo(EngineOptions.DEFAULT_MAX_STEP_TOKENS);
        assertThat(config.engine().maxPromptTokensBesideDecodes())
                .isEqualTo(EngineOptions.DEFAULT_MAX_PROMPT_TOKENS_BESIDE_DECODES);
        assertThat(config.engine().maxRunning()).isEqualTo(EngineOptions.DEFAULT_MAX_RUNNING);
        assertThat(config.engine().maxWaiting()).isEqualTo(EngineOptions.DEFAULT_MAX_WAITING);
        assertThat(config.engine().prefixCache()).isTrue();
        assertThat(config.engine().speculation()).isTrue();
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
                            speculation: false
                          responses: { keep: 1h, max-count: 5, max-size: 6M }
                          models:
                            lab/llama-3.2:
                              source: /models/llama
                            small:
                              source: /models/small
                              context: 1000
                              budget: { ttft: 2s, tpot: 120ms, end-to-end: 1m }
                              backends:
                                - kind: replica
                                  device: "cuda:1"
                                  precision: int8
                                  rounding: nearest
                                  kv: fp16
                                  threads: 3
                                  kv-cache: 512M
                                  price: { per-hour: 2.10 }
                                - kind: upstream
                                  url: https://host/v1
                                  model: lab/small
                                  key-env: KEY
                                  price: { prompt: 0.20, cached: 0.05, completion: 0.40 }
                                  connect-timeout: 1s
                                  first-token-timeout: 2s
                                  idle-timeout: 3s
                                  timeout: 4s
                                  max-connections: 5
                                  probe: 6s
                        """));

        assertThat(config.drainTimeout()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config.http().maxBodySize().asLongValue()).isEqualTo(2 << 20);
        assertThat(config.http().keepAlive()).isEqualTo(Duration.ofSeconds(3));
        assertThat(config.http().retryAfter()).isEqualTo(Duration.ofSeconds(4));
        assertThat(config.responses().keep()).isEqualTo(Duration.ofHours(1));
        assertThat(config.responses().maxCount()).isEqualTo(5);
        assertThat(config.responses().maxSize().asLongValue()).isEqualTo(6 << 20);
        assertThat(config.engine().blockSize()).hasValue(32);
        assertThat(config.engine().maxStepTokens()).isEqualTo(100);
        assertThat(config.engine().maxPromptTokensBesideDecodes()).isEqualTo(10);
        assertThat(config.engine().maxRunning()).isEqualTo(8);
        assertThat(config.engine().maxWaiting()).isEqualTo(9);
        assertThat(config.engine().prefixCache()).isFalse();
        assertThat(config.engine().speculation()).isFalse();
        assertThat(config.models()).containsOnlyKeys("lab/llama-3.2", "small");
        PenstockConfig.Model small = model(config, "small");
        assertThat(small.source()).hasValue("/models/small");
        assertThat(small.context()).hasValue(1000);
        assertThat(small.budget().ttft()).hasValue(Duration.ofSeconds(2));
        assertThat(small.budget().tpot()).hasValue(Duration.ofMillis(120));
        assertThat(small.budget().endToEnd()).hasValue(Duration.ofMinutes(1));
        PenstockConfig.Backend replica = small.backends().getFirst();
        assertThat(replica.kind()).isEqualTo("replica");
        assertThat(replica.device()).isEqualTo("cuda:1");
        assertThat(replica.precision()).hasValue("int8");
        assertThat(replica.rounding()).isEqualTo("nearest");
        assertThat(replica.kv()).hasValue("fp16");
        assertThat(replica.threads()).hasValue(3);
        assertThat(replica.kvCache().map(MemorySize::asLongValue)).hasValue(512L << 20);
        assertThat(replica.price().perHour()).hasValue(new BigDecimal("2.10"));
        PenstockConfig.Backend upstream = small.backends().getLast();
        assertThat(upstream.kind()).isEqualTo("upstream");
        assertThat(upstream.url()).hasValue("https://host/v1");
        assertThat(upstream.model()).hasValue("lab/small");
        assertThat(upstream.keyEnv()).hasValue("KEY");
        assertThat(upstream.price().prompt()).hasValue(new BigDecimal("0.20"));
        assertThat(upstream.price().cached()).hasValue(new BigDecimal("0.05"));
        assertThat(upstream.price().completion()).hasValue(new BigDecimal("0.40"));
        assertThat(upstream.connectTimeout()).isEqualTo(Duration.ofSeconds(1));
        assertThat(upstream.firstTokenTimeout()).isEqualTo(Duration.ofSeconds(2));
        assertThat(upstream.idleTimeout()).isEqualTo(Duration.ofSeconds(3));
        assertThat(upstream.timeout()).isEqualTo(Duration.ofSeconds(4));
        assertThat(upstream.maxConnections()).isEqualTo(5);
        assertThat(upstream.probe()).isEqualTo(Duration.ofSeconds(6));
    }

    @Test
    void everyDefaultOfAModelAndABackendIsTheDocumentedOne(@TempDir Path folder) throws IOException {
        PenstockConfig config =
                read(file(folder, "penstock: {models: {m: {backends: [{kind: replica}]}, n: {source: f}}}"));

        PenstockConfig.Model model = model(config, "m");
        assertThat(model.source()).isEmpty();
        assertThat(model.context()).isEmpty();
        assertThat(model.budget().ttft()).isEmpty();
        assertThat(model.budget().tpot()).isEmpty();
        assertThat(model.budget().endToEnd()).isEmpty();
        assertThat(model(config, "n").backends()).isEmpty();
        PenstockConfig.Backend backend = model.backends().getFirst();
        assertThat(backend.device()).isEqualTo("cpu");
        assertThat(backend.precision()).isEmpty();
        assertThat(backend.rounding()).isEqualTo("search");
        assertThat(backend.kv()).isEmpty();
        assertThat(backend.threads()).isEmpty();
        assertThat(backend.kvCache()).isEmpty();
        assertThat(backend.price().perHour()).isEmpty();
        assertThat(backend.price().prompt()).isEmpty();
        assertThat(backend.price().cached()).isEmpty();
        assertThat(backend.price().completion()).isEmpty();
        assertThat(backend.url()).isEmpty();
        assertThat(backend.model()).isEmpty();
        assertThat(backend.keyEnv()).isEmpty();
        UpstreamLimits limits = UpstreamLimits.DEFAULTS;
        assertThat(backend.connectTimeout()).isEqualTo(limits.connect()).isEqualTo(Duration.ofSeconds(2));
        assertThat(backend.firstTokenTimeout()).isEqualTo(limits.firstToken()).isEqualTo(Duration.ofSeconds(60));
        assertThat(backend.idleTimeout()).isEqualTo(limits.idle()).isEqualTo(Duration.ofSeconds(30));
        assertThat(backend.timeout()).isEqualTo(limits.total()).isEqualTo(Duration.ofMinutes(10));
        assertThat(backend.maxConnections()).isEqualTo(limits.maxConnections()).isEqualTo(1024);
        assertThat(backend.probe()).isEqualTo(Duration.ofSeconds(10));
    }

    @Test
    void aModelThatStandsTwiceInAFileIsRefused(@TempDir Path folder) {
        assertThatThrownBy(() -> file(folder, "penstock: {models: {m: {source: a}, m: {source: b}}}"))
                .isInstanceOf(StartException.class)
                .hasMessageContaining("duplicate key m");
    }

    @Test
    void modelsOfTheCommandLineTakeThePlaceOfTheFilesModels(@TempDir Path folder) throws IOException {
        ConfigSource file = file(folder, """
                penstock:
                  drain-timeout: 5m
                  models:
                    a: {source: /a, context: 100, backends: [{kind: replica, precision: int8}]}
                    b: {source: /b}
                """);
        ConfigSource commandLine =
                new PropertiesConfigSource(ModelSpec.parse("c=/c,threads=1").properties(), "command line", 400);

        PenstockConfig config = read(ConfigFile.withoutModels(file), commandLine);

        assertThat(config.drainTimeout()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config.models()).containsOnlyKeys("c");
        assertThat(model(config, "c").source()).hasValue("/c");
        assertThat(model(config, "c").context()).isEmpty();
        assertThat(model(config, "c").backends()).hasSize(1);
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
