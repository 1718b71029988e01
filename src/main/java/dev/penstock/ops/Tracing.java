package dev.penstock.ops;

import dev.penstock.api.ApiException;
import dev.penstock.api.CallObserver;
import dev.penstock.model.Usage;
import dev.penstock.model.WireRequest.Endpoint;
import dev.penstock.routing.Placement;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A span for each request, by the names of OpenTelemetry's semantic conventions for generative AI (1.37). It follows its
 * caller's {@code traceparent}; upstreams get none, as they get no header.
 */
final class Tracing implements CallObserver {
    /** Any of these turns it on; the SDK reads the rest. */
    private static final List<String> SWITCHES =
            List.of("otel.traces.exporter", "otel.exporter.otlp.endpoint", "otel.exporter.otlp.traces.endpoint");

    private static final Map<String, String> DEFAULTS = Map.of(
            "otel.service.name", "penstock",
            "otel.exporter.otlp.protocol", "http/protobuf",
            "otel.metrics.exporter", "none",
            "otel.logs.exporter", "none");

    private static final String ERROR = "error.type";
    private static final String BACKEND = "penstock.backend";

    private final Tracer tracer;

    Tracing(OpenTelemetry telemetry) {
        tracer = telemetry.getTracer("penstock");
    }

    /** What the process's environment and system properties ask for: spans that are sent away, or nothing. */
    static CallObserver ofProcess() {
        boolean on = SWITCHES.stream()
                .anyMatch(key -> System.getProperty(key) != null
                        || System.getenv(key.replace('.', '_').toUpperCase(Locale.ROOT)) != null);
        return on
                ? new Tracing(AutoConfiguredOpenTelemetrySdk.builder()
                        .addPropertiesSupplier(() -> DEFAULTS)
                        .build()
                        .getOpenTelemetrySdk())
                : CallObserver.NONE;
    }

    @Override
    public Watch begin(Endpoint endpoint, String model, Function<String, @Nullable String> headers) {
        String operation = switch (endpoint) {
            case CHAT, RESPONSES, MESSAGES -> "chat";
            case COMPLETIONS -> "text_completion";
            case EMBEDDINGS -> "embeddings";
            case RERANK -> "rerank";
        };
        Context caller = W3CTraceContextPropagator.getInstance().extract(Context.root(), headers, Headers.GETTER);
        return new Spanned(tracer.spanBuilder(operation + " " + model)
                .setParent(caller)
                .setSpanKind(SpanKind.SERVER)
                .setAttribute("gen_ai.operation.name", operation)
                .setAttribute("gen_ai.provider.name", "penstock")
                .setAttribute("gen_ai.request.model", model)
                .startSpan());
    }

    private enum Headers implements TextMapGetter<Function<String, @Nullable String>> {
        GETTER;

        @Override
        public Iterable<String> keys(Function<String, @Nullable String> carrier) {
            return W3CTraceContextPropagator.getInstance().fields();
        }

        @Override
        public @Nullable String get(@Nullable Function<String, @Nullable String> carrier, String key) {
            return carrier == null ? null : carrier.apply(key);
        }
    }

    private static final class Spanned implements Watch {
        private final Span span;
        private boolean ended;

        Spanned(Span span) {
            this.span = span;
        }

        @Override
        public void placed(Placement placement) {
            span.setAttribute(BACKEND, placement.backend().name());
            span.setAttribute("penstock.reason", placement.reason().name().toLowerCase(Locale.ROOT));
        }

        @Override
        public void movedOn(Placement from, ApiException error) {
            span.addEvent(
                    "penstock.failover",
                    Attributes.builder()
                            .put(BACKEND, from.backend().name())
                            .put(ERROR, type(error))
                            .build());
        }

        @Override
        public synchronized void answered(Placement by, Usage usage) {
            ended = true;
            span.setAttribute("gen_ai.response.model", by.backend().model());
            span.setAttribute("gen_ai.usage.input_tokens", (long) usage.promptTokens());
            span.setAttribute("gen_ai.usage.output_tokens", (long) usage.completionTokens());
            span.setAttribute("penstock.cost_usd", by.cost().usd().doubleValue());
        }

        @Override
        public synchronized void answered(int promptTokens) {
            ended = true;
            span.setAttribute("gen_ai.usage.input_tokens", (long) promptTokens);
        }

        @Override
        public synchronized void failed(ApiException error) {
            ended = true;
            span.setAttribute(ERROR, type(error));
            span.setStatus(StatusCode.ERROR, error.getMessage());
        }

        @Override
        public synchronized void over() {
            if (!ended) {
                // Its caller has gone.
                span.setAttribute(ERROR, "cancelled");
            }
            span.end();
        }

        private static String type(ApiException error) {
            return Objects.requireNonNullElse(error.code(), Integer.toString(error.status()));
        }
    }
}
