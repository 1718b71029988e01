package dev.penstock.ops;

import dev.penstock.model.Money;
import dev.penstock.routing.Decision.Reason;
import dev.penstock.routing.RoutingObserver;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import jakarta.inject.Singleton;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Metrics of routing: decisions, predictions beside what came, and money. */
@Singleton
class RoutingMetrics implements RoutingObserver {
    /** The bound's coverage is that of so many requests. */
    private static final int WINDOW = 500;

    private static final String COVERAGE = "penstock.bound.coverage.ratio";
    private static final double NANOS = 1e9;
    private static final double[] TTFT_SECONDS = {
        0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 300
    };
    private static final double[] ERRORS = {0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5};

    private final MeterRegistry meters;
    private final Map<Tags, Coverage> coverages = new ConcurrentHashMap<>();

    RoutingMetrics(MeterRegistry meters) {
        this.meters = meters;
        // Those of a backend that leaves, which may come back.
        meters.config().onMeterRemoved(meter -> {
            if (meter.getId().getName().equals(COVERAGE)) {
                coverages.remove(Tags.of(meter.getId().getTags()));
            }
        });
    }

    @Override
    public void placed(String model, String backend, Reason reason) {
        decided(model, backend, reason);
    }

    @Override
    public void notPlaced(String model, Reason reason) {
        decided(model, "none", reason);
    }

    private void decided(String model, String backend, Reason reason) {
        meters.counter(
                        "penstock.routing.decisions",
                        Tags.of("model", model, "backend", backend, "reason", label(reason)))
                .increment();
    }

    @Override
    public void measured(String model, String backend, Latency latency) {
        Tags backendTags = Tags.of("model", model, "backend", backend);
        Tags tags = backendTags.and("latency", label(latency.kind()));
        if (latency.kind() == Kind.TTFT) {
            DistributionSummary.builder("penstock.predicted.ttft.seconds")
                    .description("Predicted time to the first token")
                    .serviceLevelObjectives(TTFT_SECONDS)
                    .tags(backendTags)
                    .register(meters)
                    .record(latency.predicted());
        }
        DistributionSummary.builder("penstock.latency.prediction.error.ratio")
                .description("How far a prediction was off, as a share of what came")
                .serviceLevelObjectives(ERRORS)
                .tags(tags)
                .register(meters)
                .record(latency.error());
        coverages.computeIfAbsent(tags, this::coverage).add(latency.isWithinBound());
    }

    private Coverage coverage(Tags tags) {
        Coverage coverage = new Coverage();
        Gauge.builder(COVERAGE, coverage, Coverage::share)
                .description("Share of the last " + WINDOW + " requests that stayed within the bound of nine in ten")
                .tags(tags)
                .register(meters);
        return coverage;
    }

    @Override
    public void settled(String model, String backend, Money cost, Money saved) {
        Tags tags = Tags.of("model", model, "backend", backend);
        meters.counter("penstock.cost.usd", tags).increment(cost.nanoUsd() / NANOS);
        meters.counter("penstock.saved.usd", tags).increment(saved.nanoUsd() / NANOS);
    }

    private static String label(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    /** Whether each of the last requests stayed within its bound. */
    private static final class Coverage {
        private final boolean[] held = new boolean[WINDOW];
        private int holds;
        private int seen;

        synchronized void add(boolean within) {
            int at = seen++ % WINDOW;
            if (seen > WINDOW && held[at]) {
                holds--;
            }
            held[at] = within;
            if (within) {
                holds++;
            }
        }

        synchronized double share() {
            return seen == 0 ? Double.NaN : (double) holds / Math.min(seen, WINDOW);
        }
    }
}
