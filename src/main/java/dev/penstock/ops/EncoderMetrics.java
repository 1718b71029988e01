package dev.penstock.ops;

import dev.penstock.embed.EncoderLoop;
import dev.penstock.embed.EncoderObserver;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;

/** Metrics of encoders. */
@Singleton
class EncoderMetrics {
    private static final Duration[] TIMES = LongStream.of(
                    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000)
            .mapToObj(Duration::ofMillis)
            .toArray(Duration[]::new);
    private static final String OPEN = "penstock.encoder.requests.open";

    private final MeterRegistry meters;

    EncoderMetrics(MeterRegistry meters) {
        this.meters = meters;
    }

    /** Counts what the encoder of a model does. */
    EncoderObserver observer(String model) {
        return new Observer(meters, Tags.of("model", model));
    }

    /** Shows the state of a model's encoder. */
    void watch(String model, EncoderLoop loop) {
        Gauge.builder(OPEN, loop, EncoderLoop::open)
                .description("Requests that wait or run")
                .tags("model", model)
                .register(meters);
    }

    /** Shows it no more. */
    void forget(String model) {
        meters.getMeters().stream()
                .map(Meter::getId)
                .filter(id -> id.getName().equals(OPEN) && model.equals(id.getTag("model")))
                .forEach(meters::remove);
    }

    /** Called on the encoder's thread: every meter is there before. */
    private static final class Observer implements EncoderObserver {
        private final Timer batch;
        private final Timer total;
        private final DistributionSummary inputs;
        private final Counter tokens;
        private final Map<Outcome, Counter> requests = new EnumMap<>(Outcome.class);

        Observer(MeterRegistry meters, Tags tags) {
            batch = timer(meters, "penstock.encoder.batch.time", "Time of a batch", tags);
            total = timer(meters, "penstock.encoder.request.time", "From submission to the end", tags);
            inputs = DistributionSummary.builder("penstock.encoder.batch.inputs")
                    .description("Inputs of a batch")
                    .tags(tags)
                    .register(meters);
            tokens = Counter.builder("penstock.encoder.tokens")
                    .description("Tokens of inputs, without padding")
                    .tags(tags)
                    .register(meters);
            for (Outcome outcome : Outcome.values()) {
                requests.put(
                        outcome,
                        Counter.builder("penstock.encoder.requests")
                                .description("Requests by how they ended")
                                .tags(tags.and("outcome", outcome.name().toLowerCase(Locale.ROOT)))
                                .register(meters));
            }
        }

        @Override
        public void batchEnded(int inputsOfIt, int tokensOfIt, long runNs) {
            batch.record(runNs, TimeUnit.NANOSECONDS);
            inputs.record(inputsOfIt);
            tokens.increment(tokensOfIt);
        }

        @Override
        public void requestEnded(Outcome outcome, long totalNs) {
            Counter counter = requests.get(outcome);
            if (counter != null) {
                counter.increment();
            }
            total.record(totalNs, TimeUnit.NANOSECONDS);
        }

        private static Timer timer(MeterRegistry meters, String name, String description, Tags tags) {
            return Timer.builder(name)
                    .description(description)
                    .tags(tags)
                    .serviceLevelObjectives(TIMES)
                    .register(meters);
        }
    }
}
