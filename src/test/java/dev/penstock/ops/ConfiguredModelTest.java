package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.backend.upstream.UpstreamLimits;
import dev.penstock.backend.upstream.UpstreamSettings;
import dev.penstock.embed.EncoderFolders;
import dev.penstock.embed.TinyEncoder;
import dev.penstock.model.Budget;
import dev.penstock.model.Money;
import dev.penstock.model.Pooling;
import dev.penstock.model.Precision;
import dev.penstock.model.Price;
import dev.penstock.weights.TinyModels;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfiguredModelTest {
    private static final String FREE = "price: { prompt: 0, completion: 0 }";

    @TempDir
    Path temp;

    private List<ConfiguredModel> read(String models) throws IOException {
        Path file = Files.writeString(temp.resolve("penstock.yaml"), "penstock:\n  models:\n" + models.indent(4));
        return ConfiguredModel.of(
                PenstockConfigTest.read(ConfigFile.read(file)), Map.of("KEY", "secret", "BAD", "a\nb", "EMPTY", ""));
    }

    private UpstreamSettings upstream(String settings) throws IOException {
        return read("m:\n  backends:\n    - { kind: upstream, " + settings + " }")
                .getFirst()
                .upstreams()
                .getFirst()
                .settings();
    }

    @Test
    void aModelMayHaveReplicasAndUpstreamsEachWithANameOfItsOwn() throws IOException {
        Path folder = TinyModels.mha().write(temp.resolve("model"));
        ConfiguredModel model = read("""
                m:
                  source: %s
                  context: 50
                  budget: { ttft: 2s, tpot: 120ms }
                  backends:
                    - { kind: replica, precision: int8, threads: 2, price: { per-hour: 0.31 } }
                    - { kind: replica, precision: int8, spill: true, price: { per-hour: 0 } }
                    - { kind: upstream, url: "http://one:8000/v1/", %s }
                    - { kind: upstream, url: "http://one:8000/v1", model: other, %s }
                """.formatted(folder, FREE, FREE)).getFirst();

        assertThat(model.budget()).isEqualTo(Budget.ofLatency(Duration.ofSeconds(2), Duration.ofMillis(120), null));
        assertThat(model.replicas())
                .extracting(Configured::settings)
                .extracting(ModelSettings::backend)
                .containsExactly("m/int8", "m/int8#2");
        assertThat(model.replicas())
                .extracting(Configured::settings)
                .extracting(ModelSettings::precision)
                .containsOnly(Precision.INT8);
        assertThat(model.replicas().getFirst().settings().threads()).isEqualTo(2);
        assertThat(model.replicas().getFirst().settings().context()).hasValue(50);
        assertThat(model.upstreams())
                .extracting(Configured::settings)
                .extracting(UpstreamSettings::name)
                .containsExactly("m/one:8000", "m/one:8000#2");
        assertThat(model.upstreams())
                .extracting(Configured::settings)
                .extracting(UpstreamSettings::upstreamModel)
                .containsExactly("m", "other");
    }

    @Test
    void anUpstreamIsReadWithAllItsSettings() throws IOException {
        assertThat(
                        upstream(
                                "url: https://host/v1, model: lab/x, key-env: KEY, price: { prompt: 0.2, cached: 0.05, completion: 0.401 }, "
                                        + "connect-timeout: 1s, first-token-timeout: 2s, idle-timeout: 3s, timeout: 4s, max-connections: 5, probe: 6s"))
                .isEqualTo(new UpstreamSettings(
                        "m/host",
                        "m",
                        URI.create("https://host/v1"),
                        "lab/x",
                        Optional.of("secret"),
                        new Price.PerToken(200, 50, 401),
                        new UpstreamLimits(
                                Duration.ofSeconds(1),
                                Duration.ofSeconds(2),
                                Duration.ofSeconds(3),
                                Duration.ofSeconds(4),
                                5,
                                UpstreamLimits.DEFAULTS.maxEventBytes(),
                                UpstreamLimits.DEFAULTS.maxReplyBytes()),
                        Duration.ofSeconds(6)));
    }

    @Test
    void cachedTokensCostAsOthersWhereNothingElseIsSaid() throws IOException {
        assertThat(upstream("url: http://h, price: { prompt: 3, completion: 15 }")
                        .price())
                .isEqualTo(new Price.PerToken(3000, 3000, 15000));
        assertThat(upstream("url: http://h, price: { per-hour: 2.10 }").price())
                .isEqualTo(new Price.PerHour(Money.ofUsd(new BigDecimal("2.10"))));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "kind: upstream, url: http://h | has no price",
                "kind: upstream, url: http://h, price: { prompt: 1 } | without completion",
                "kind: upstream, url: http://h, price: { completion: 1 } | without prompt",
                "kind: upstream, url: http://h, price: { cached: 1 } | without prompt",
                "kind: upstream, url: http://h, price: { per-hour: 1, prompt: 1, completion: 1 } | one per token; it must be one",
                "kind: upstream, url: http://h, price: { prompt: -1, completion: 1 } | must be 0 to",
                "kind: upstream, url: http://h, price: { prompt: 1, completion: 1e30 } | must be 0 to",
                "kind: upstream, url: http://h, price: { prompt: 0.0001, completion: 1 } | finer than 0.001",
                "kind: upstream, price: { per-hour: 1 } | has no url",
                "kind: upstream, url: ftp://h, price: { per-hour: 1 } | not of the form",
                "kind: upstream, url: h/v1, price: { per-hour: 1 } | not of the form",
                "kind: upstream, url: 'http://', price: { per-hour: 1 } | not of the form",
                "kind: upstream, url: 'http://u:p@h/v1', price: { per-hour: 1 } | not of the form",
                "kind: upstream, url: 'http://h/v1?key=1', price: { per-hour: 1 } | not of the form",
                "kind: upstream, url: http://h, price: { per-hour: 1 }, key-env: NONE | variable NONE, which is not set",
                "kind: upstream, url: http://h, price: { per-hour: 1 }, key-env: EMPTY | variable EMPTY, which is not set",
                "kind: upstream, url: http://h, price: { per-hour: 1 }, key-env: BAD | holds what no header can",
                "kind: upstream, url: http://h, price: { per-hour: 1 }, timeout: 0s | timeout PT0S; it must be",
                "kind: upstream, url: http://h, price: { per-hour: 1 }, probe: 48h | probe PT48H; it must be",
                "kind: upstream, url: http://h, price: { per-hour: 1 }, max-connections: 0 | max-connections 0",
                "kind: cloud | kind 'cloud'",
                "kind: replica | needs a source",
                "kind: replica, price: { per-hour: -1 } | must be 0 to",
            })
    void whatMakesNoSenseIsRefused(String backend, String message) {
        assertThatThrownBy(() -> read("m:\n  backends:\n    - { " + backend + " }"))
                .isInstanceOf(StartException.class)
                .hasMessageContaining("The model m ")
                .hasMessageContaining(message)
                .hasMessageNotContainingAny("u:p", "key=1");
    }

    @Test
    void allThatIsWrongIsToldAtOnce() {
        assertThatThrownBy(() -> read("""
                        a:
                          source: /nowhere
                          context: 0
                          budget: { ttft: -1s }
                          backends:
                            - { kind: replica, device: tpu, rounding: best, threads: 0 }
                            - { kind: replica, precision: int3 }
                            - { kind: replica, kv: fp8 }
                            - { kind: upstream, key-env: NONE, timeout: 0s }
                        b: { context: 5 }
                        """))
                .isInstanceOf(StartException.class)
                .hasMessageContainingAll(
                        "The configuration has 16 faults:",
                        "/nowhere",
                        "The model a has context 0",
                        "TTFT",
                        "The model a, backend 1, has the device 'tpu'",
                        "The model a, backend 1, has no price",
                        "backend 1, has the rounding 'best'",
                        "backend 1, has threads 0",
                        "backend 2, has the precision 'int3'",
                        "backend 3, has the kv 'fp8'",
                        "backend 4, has no url",
                        "backend 4, has no price",
                        "variable NONE",
                        "timeout PT0S",
                        "The model b has neither a source nor backends");
    }

    @Test
    void replicasShareTheThreadsThatAreLeft() {
        assertThat(ConfiguredModel.share(8, 0, 1)).isEqualTo(8);
        assertThat(ConfiguredModel.share(8, 0, 3)).isEqualTo(2);
        assertThat(ConfiguredModel.share(8, 6, 2)).isEqualTo(1);
        assertThat(ConfiguredModel.share(8, 20, 2)).isEqualTo(1);
        assertThat(ConfiguredModel.share(2, 0, 0)).isEqualTo(2);
    }

    @Test
    void anEncoderIsToldByItsFolderOrByItsTask() throws IOException {
        Path vectors = EncoderFolders.embedder(temp.resolve("vectors"), new TinyEncoder(1));
        Path decoder = TinyModels.mha().write(temp.resolve("decoder"));
        List<ConfiguredModel> models = read("""
                a:
                  source: %s
                  context: 25
                  pooling: last
                  backends:
                    - { threads: 3 }
                b: { source: %s, task: embed }
                c: { source: %s }
                """.formatted(vectors, decoder, decoder));

        EncoderSettings first = models.getFirst().encoder().orElseThrow();
        assertThat(first.contextLength()).isEqualTo(25);
        assertThat(first.pooling()).contains(Pooling.LAST);
        assertThat(first.threads()).isEqualTo(3);
        assertThat(first.precision()).isEqualTo(Precision.FP32);
        assertThat(models.getFirst().replicas()).isEmpty();
        assertThat(models.get(1).encoder().orElseThrow().precision()).isEqualTo(Precision.INT8);
        assertThat(models.get(2).encoder()).isEmpty();
        assertThat(models.get(2).replicas()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "source: VECTORS, task: sing | has the task 'sing'",
                "source: VECTORS, pooling: max | has the pooling 'max'",
                "source: VECTORS, context: 31 | from 2 to 30",
                "source: VECTORS, context: 1 | from 2 to 30",
                "source: VECTORS, backends: [{ device: 'cuda:0' }] | one replica on the CPU",
                "source: VECTORS, backends: [{ threads: 1 }, { threads: 1 }] | one replica on the CPU",
                "source: VECTORS, backends: [{ kind: upstream, url: 'http://a' }] | one replica on the CPU",
                "source: VECTORS, backends: [{ precision: int4 }] | there are graphs of fp32 only",
                "source: VECTORS, task: rerank, pooling: cls | it pools nothing",
                "source: DECODER, task: rerank | a reranker that is a decoder",
                "source: DECODER, pooling: cls | for encoders",
                "source: NOWHERE, task: embed | config.json",
                "task: embed, backends: [{ kind: upstream, url: 'http://a' }] | for encoders",
            })
    void whatAnEncoderCannotBeIsRefused(String settings, String message) throws IOException {
        Path vectors = EncoderFolders.embedder(temp.resolve("vectors"), new TinyEncoder(1));
        Path decoder = TinyModels.mha().write(temp.resolve("decoder"));
        String model = settings.replace("VECTORS", vectors.toString())
                .replace("DECODER", decoder.toString())
                .replace("NOWHERE", temp.resolve("nowhere").toString());

        assertThatThrownBy(() -> read("m: { " + model + " }"))
                .isInstanceOf(StartException.class)
                .hasMessageContaining(message);
    }
}
