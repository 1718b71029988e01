package dev.penstock.backend.upstream;

import static dev.penstock.backend.upstream.FakeServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.penstock.backend.Backend.Load;
import dev.penstock.model.WireEvent.Cause;
import dev.penstock.model.WireEvent.Ended;
import dev.penstock.model.WireEvent.Failed;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UpstreamHealthTest extends UpstreamFixture {
    private static final Duration OFTEN = Duration.ofMillis(20);

    private Cause cause() throws InterruptedException {
        return ((Failed) send(Caller.stream(false)).all().getFirst()).failure().cause();
    }

    @Test
    void threeFailuresInARowOpenTheCircuitAndOneSuccessClosesIt() throws Exception {
        server.always(request -> json(request, 500, ""));
        for (int i = 0; i < 3; i++) {
            assertThat(upstream().available()).isTrue();
            assertThat(cause()).isEqualTo(Cause.FAULT);
        }
        assertThat(upstream().available()).isFalse();
        assertThat(cause()).isEqualTo(Cause.UNAVAILABLE);

        clockNs.addAndGet(Duration.ofSeconds(1).toNanos());
        assertThat(cause()).isEqualTo(Cause.FAULT);
        clockNs.addAndGet(Duration.ofSeconds(1).toNanos());
        assertThat(cause()).isEqualTo(Cause.UNAVAILABLE);

        clockNs.addAndGet(Duration.ofSeconds(1).toNanos());
        server.always(FakeServer::story);
        assertThat(send(Caller.stream(false)).all()).last().isInstanceOf(Ended.class);
        assertThat(upstream().available()).isTrue();
    }

    @Test
    void whatCallersDoWrongOpensNothing() throws Exception {
        server.always(request -> json(request, 400, "{}"));
        for (int i = 0; i < 10; i++) {
            assertThat(cause()).isEqualTo(Cause.REJECTED);
        }
        assertThat(upstream().available()).isTrue();
    }

    @Test
    void aLookAtHealthLetsTheNextRequestTry() throws Exception {
        server.onGet(request -> request.response().setStatusCode(500).end());
        server.always(request -> json(request, 500, ""));
        Upstream upstream = upstream(server.url(), LIMITS, OFTEN);
        await().until(() -> !upstream.available());

        server.onGet(request -> request.response().end("{}"));

        await().until(upstream::available);
    }

    @Test
    void itsLoadIsWhatItsAnswersSayForAWhile() throws Exception {
        server.next(request -> {
            request.response()
                    .putHeader(
                            "endpoint-load-metrics",
                            "TEXT named_metrics.num_requests_waiting=3, named_metrics.kv_cache_usage_perc=0.4");
            FakeServer.story(request);
        });
        send(Caller.stream(false)).all();

        assertThat(upstream().load()).isEqualTo(new Load(0, 3, 0.4));
        clockNs.addAndGet(Duration.ofHours(4).toNanos());
        assertThat(upstream().load()).isEqualTo(new Load(0, 0, 0));
    }

    @Test
    void itsLoadIsWhatItsMetricsSayAndTheKeyIsNotSentThere() throws Exception {
        server.onGet(request -> {
            if (request.path().equals("/metrics") && request.getHeader("Authorization") == null) {
                request.response().end("vllm:num_requests_running{model_name=\"theirs\"} 5.0\n");
            } else {
                request.response().end("{}");
            }
        });
        Upstream upstream = upstream(server.url(), LIMITS, OFTEN);

        await().until(() -> upstream.load().equals(new Load(5, 0, 0)));
    }

    @Test
    void whoHasNoMetricsIsNotAskedForThemAgain() throws Exception {
        AtomicInteger metrics = new AtomicInteger();
        AtomicInteger looks = new AtomicInteger();
        server.onGet(request -> {
            (request.path().equals("/metrics") ? metrics : looks).incrementAndGet();
            request.response().setStatusCode(404).end();
        });
        upstream(server.url(), LIMITS, OFTEN);

        await().until(() -> looks.get() > 5);
        assertThat(metrics.get()).isBetween(1, 2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "named_metrics.kv_cache_usage_perc=0.4,named_metrics.num_requests_waiting=3",
                "TEXT kv_cache_usage_perc=0.4, num_requests_waiting=3",
                "JSON {\"named_metrics\":{\"kv_cache_usage_perc\":0.4,\"num_requests_waiting\":3}}",
                "json {\"kv_cache_usage_perc\":0.4,\"named_metrics\":{\"num_requests_waiting\":3.0}}",
                "{\"cpu_utilization\":0.9,\"named_metrics\":{\"kv_cache_usage_perc\":0.4,\"num_requests_waiting\":3}}",
            })
    void reportsComeInSeveralForms(String header) {
        LoadReport report = LoadReport.ofHeader(header).orElseThrow();

        assertThat(report.kvUsage()).hasValue(0.4);
        assertThat(report.waiting()).hasValue(3);
        assertThat(report.running()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "JSON {",
                "BIN AAAA",
                "kv_cache_usage_perc=NaN",
                "num_requests_waiting=-4",
                "num_requests_waiting=1e99",
                "num_requests_waiting=e",
                "JSON {\"named_metrics\":[1]}",
                "{\"num_requests_waiting\":{}}",
            })
    void reportsThatMakeNoSenseAreNone(String header) {
        assertThat(LoadReport.ofHeader(header)).isEmpty();
        assertThat(LoadReport.ofMetrics(header, "m")).isEmpty();
    }

    @Test
    void metricsOfSeveralEnginesAddUpAndThoseOfOtherModelsDoNotCount() {
        LoadReport report = LoadReport.ofMetrics("""
                # HELP vllm:num_requests_running Number of requests
                vllm:num_requests_running{engine="0",model_name="m"} 2.0
                vllm:num_requests_running{engine="1",model_name="m"} 3.0 1700000000
                vllm:num_requests_running{engine="0",model_name="other"} 100.0
                vllm:num_requests_waiting 4
                vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
                vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.75
                vllm:num_requests_waiting_total{model_name="m"} 50
                """, "m").orElseThrow();

        assertThat(report.running()).hasValue(5);
        assertThat(report.waiting()).hasValue(4);
        assertThat(report.kvUsage()).hasValue(0.75);
    }
}
