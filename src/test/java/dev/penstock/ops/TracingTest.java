package dev.penstock.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.penstock.api.ApiException;
import dev.penstock.api.CallObserver;
import dev.penstock.api.CallObserver.Watch;
import dev.penstock.api.ScriptedBackend;
import dev.penstock.model.Budget;
import dev.penstock.model.Money;
import dev.penstock.model.Price;
import dev.penstock.model.Usage;
import dev.penstock.model.WireRequest.Endpoint;
import dev.penstock.routing.Asker;
import dev.penstock.routing.Decision.Shed;
import dev.penstock.routing.Member;
import dev.penstock.routing.Placement;
import dev.penstock.routing.Prefix;
import dev.penstock.routing.RouteRequest;
import dev.penstock.routing.RouteRequest.Size;
import dev.penstock.routing.Router;
import dev.penstock.routing.RouterOptions;
import dev.penstock.routing.RoutingObserver;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TracingTest {
    private final List<SpanData> spans = new ArrayList<>();
    private final Tracing tracing = new Tracing(OpenTelemetrySdk.builder()
            .setTracerProvider(SdkTracerProvider.builder()
                    .addSpanProcessor(SimpleSpanProcessor.create(new Kept()))
                    .build())
            .build());
    private final Router router = new Router(RouterOptions.DEFAULT, RoutingObserver.NONE);

    @AfterEach
    void close() {
        router.close();
    }

    private Placement placement(String backend) {
        router.serve(
                "m",
                Budget.NONE,
                List.of(Member.of(new ScriptedBackend(backend, "m")).with(new Price.PerHour(Money.ZERO), false)));
        List<Placement> placements = new ArrayList<>();
        router.asking("m", new RouteRequest("", List.of(new Size(5, 5)), Prefix.NONE, Budget.NONE, 0), new Asker() {
                    @Override
                    public void run(Placement placement) {
                        placements.add(placement);
                    }

                    @Override
                    public void refuse(Shed shed) {
                        throw new AssertionError(shed);
                    }
                })
                .begin();
        return placements.getFirst();
    }

    private Map<String, Object> attributes() {
        Map<String, Object> all = new HashMap<>();
        spans.getFirst().getAttributes().forEach((AttributeKey<?> key, Object value) -> all.put(key.getKey(), value));
        return all;
    }

    @Test
    void aRequestThatWasAnsweredIsASpanByTheConventionsNames() {
        Watch watch = tracing.begin(
                Endpoint.CHAT,
                "m",
                Map.of("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")::get);
        watch.movedOn(placement("first"), ApiException.internal("x"));
        Placement placement = placement("second");
        watch.placed(placement);
        watch.answered(placement, new Usage(5, 0, 3));
        assertThat(spans).isEmpty();
        watch.over();

        SpanData span = spans.getFirst();
        assertThat(span.getName()).isEqualTo("chat m");
        assertThat(span.getKind()).isEqualTo(SpanKind.SERVER);
        assertThat(span.getTraceId()).isEqualTo("0af7651916cd43dd8448eb211c80319c");
        assertThat(span.getParentSpanId()).isEqualTo("b7ad6b7169203331");
        assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(attributes())
                .isEqualTo(Map.of(
                        "gen_ai.operation.name", "chat",
                        "gen_ai.provider.name", "penstock",
                        "gen_ai.request.model", "m",
                        "gen_ai.response.model", "m",
                        "gen_ai.usage.input_tokens", 5L,
                        "gen_ai.usage.output_tokens", 3L,
                        "penstock.backend", "second",
                        "penstock.reason", "cheapest",
                        "penstock.cost_usd", 0.0));
        assertThat(span.getEvents()).singleElement().satisfies(event -> {
            assertThat(event.getName()).isEqualTo("penstock.failover");
            assertThat(event.getAttributes().get(AttributeKey.stringKey("penstock.backend")))
                    .isEqualTo("first");
        });
    }

    @Test
    void anErrorIsNamedByItsCode() {
        Watch watch = tracing.begin(Endpoint.COMPLETIONS, "m", name -> null);
        watch.failed(ApiException.overloaded(1, "full"));
        watch.over();

        assertThat(attributes())
                .containsEntry("error.type", "server_is_overloaded")
                .containsEntry("gen_ai.operation.name", "text_completion");
        assertThat(spans.getFirst().getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(spans.getFirst().getParentSpanContext().isValid()).isFalse();
    }

    @Test
    void whoLeavesCancels() {
        tracing.begin(Endpoint.CHAT, "m", name -> "garbage").over();

        assertThat(attributes()).containsEntry("error.type", "cancelled");
    }

    @Test
    void withoutAnAddressNothingIsTraced() {
        assertThat(Tracing.ofProcess()).isSameAs(CallObserver.NONE);
    }

    @Test
    void withAnAddressSpansGoThere() throws Exception {
        BlockingQueue<String> got = new LinkedBlockingQueue<>();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/v1/traces", exchange -> {
            got.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.ISO_8859_1));
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        server.start();
        System.setProperty(
                "otel.exporter.otlp.endpoint",
                "http://127.0.0.1:" + server.getAddress().getPort());
        System.setProperty("otel.bsp.schedule.delay", "10");
        try {
            CallObserver there = Tracing.ofProcess();
            there.begin(Endpoint.CHAT, "m", name -> null).over();

            assertThat(got.poll(60, TimeUnit.SECONDS))
                    .contains("gen_ai.request.model", "chat m", "service.name", "penstock");
        } finally {
            System.clearProperty("otel.exporter.otlp.endpoint");
            System.clearProperty("otel.bsp.schedule.delay");
            server.stop(0);
        }
    }

    private final class Kept implements SpanExporter {
        @Override
        public CompletableResultCode export(Collection<SpanData> ended) {
            spans.addAll(ended);
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode flush() {
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode shutdown() {
            return CompletableResultCode.ofSuccess();
        }
    }
}
