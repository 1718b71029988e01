package dev.penstock.api;

import dev.penstock.model.Usage;
import dev.penstock.model.WireRequest.Endpoint;
import dev.penstock.routing.Placement;
import jakarta.enterprise.inject.Alternative;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Keeps what was told of requests, a line for each word. */
@Alternative
@Singleton
public class RecordedCalls implements CallObserver {
    private final List<String> lines = new CopyOnWriteArrayList<>();

    /** All since {@link #forget}. */
    List<String> lines() {
        return List.copyOf(lines);
    }

    void forget() {
        lines.clear();
    }

    @Override
    public Watch begin(Endpoint endpoint, String model, Function<String, @Nullable String> headers) {
        lines.add("begin " + endpoint + " " + model + " " + headers.apply("traceparent"));
        return new Watch() {
            @Override
            public void placed(Placement placement) {
                lines.add("placed " + placement.backend().name());
            }

            @Override
            public void movedOn(Placement from, ApiException error) {
                lines.add("moved on from " + from.backend().name() + " " + error.code());
            }

            @Override
            public void answered(Placement by, Usage usage) {
                lines.add("answered " + by.backend().name() + " " + usage.promptTokens() + " "
                        + usage.completionTokens());
            }

            @Override
            public void failed(ApiException error) {
                lines.add("failed " + error.code());
            }

            @Override
            public void over() {
                lines.add("over");
            }
        };
    }
}
