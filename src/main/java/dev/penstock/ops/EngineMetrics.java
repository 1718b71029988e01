package dev.penstock.ops;

import dev.penstock.backend.Backend;
import dev.penstock.backend.Replica;
import dev.penstock.backend.upstream.Upstream;
import dev.penstock.engine.EngineObserver;
import dev.penstock.engine.EngineStats;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
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
import java.util.function.ToDoubleFunction;

/**
 * Metrics of backends. What vLLM's users watch goes by its names as well, with its labels {@code model_name} and
 * {@code engine}.
 */
@Singleton
class EngineMetrics {
    private static final Duration[] LATENCIES =
            durations(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000, 300_000);

    private final MeterRegistry meters;

    EngineMetrics(MeterRegistry meters) {
        this.meters = meters;
    }

    /** Counts what the step loop of a model does. */
    EngineObserver observer(String model) {
        return new Observer(meters, Tags.of("model", model));
    }

    /** Shows the state of a backend, if it has one. */
    void watch(Backend backend) {
        switch (backend) {
            case Replica replica -> watch(replica);
            case Upstream upstream -> watch(upstream);
            default -> {}
        }
    }

    private void watch(Replica replica) {
        Tags tags = Tags.of("model", replica.model(), "backend", replica.name());
        Tags vllm = Tags.of("model_name", replica.model(), "engine", replica.name());
        gauge(
                "penstock.requests.running",
                "Sequences in the batch",
                replica,
                tags,
                r -> r.stats().running());
        gauge(
                "penstock.requests.waiting",
                "Requests that wait for a place",
                replica,
                tags,
                r -> r.stats().waiting());
        gauge(
                "penstock.kv.usage",
                "Share of the KV cache in use",
                replica,
                tags,
                r -> r.stats().kvUsage());
        gauge(
                "penstock.kv.blocks",
                "Blocks of the KV cache",
                replica,
                tags,
                r -> r.stats().blocks());
        gauge(
                "penstock.kv.blocks.cached",
                "Blocks kept for prompts to come",
                replica,
                tags,
                r -> r.stats().cachedBlocks());
        gauge(
                "vllm:num_requests_running",
                "Sequences in the batch",
                replica,
                vllm,
                r -> r.stats().running());
        gauge(
                "vllm:num_requests_waiting",
                "Requests that wait for a place",
                replica,
                vllm,
                r -> r.stats().waiting());
        gauge(
                "vllm:kv_cache_usage_perc",
                "Share of the KV cache in use",
                replica,
                vllm,
                r -> r.stats().kvUsage());
        count("penstock.prompt.tokens", "Tokens of prompts", replica, tags, EngineStats::promptTokens);
        count("penstock.completion.tokens", "Tokens made", replica, tags, EngineStats::completionTokens);
        count(
                "penstock.prefix.cache.hit.tokens",
                "Tokens of prompts that the prefix cache held",
                replica,
                tags,
                EngineStats::cachedPromptTokens);
        count("penstock.preemptions", "Times that a sequence lost its blocks", replica, tags, EngineStats::preemptions);
        count(
                "penstock.speculation.drafted.tokens",
                "Guesses at tokens that were computed",
                replica,
                tags,
                EngineStats::draftedTokens);
        count(
                "penstock.speculation.accepted.tokens",
                "Guesses that were right",
                replica,
                tags,
                EngineStats::acceptedTokens);
        count("penstock.steps", "Steps run", replica, tags, EngineStats::steps);
        count("penstock.steps.failed", "Steps that failed", replica, tags, EngineStats::failedSteps);
        count("vllm:prefix_cache_queries", "Tokens of prompts", replica, vllm, EngineStats::promptTokens);
        count("vllm:spec_decode_num_draft_tokens", "Tokens guessed", replica, vllm, EngineStats::draftedTokens);
        count("vllm:spec_decode_num_accepted_tokens", "Those right", replica, vllm, EngineStats::acceptedTokens);
        count("vllm:prefix_cache_hits", "Those in the cache", replica, vllm, EngineStats::cachedPromptTokens);
    }

    /** Shows the state of a backend no more. */
    void forget(Backend backend) {
        for (Meter meter : meters.getMeters()) {
            Meter.Id id = meter.getId();
            boolean ours = isOf(id, "model", "backend", backend) || isOf(id, "model_name", "engine", backend);
            if (ours) {
                meters.remove(id);
            }
        }
    }

    private static boolean isOf(Meter.Id id, String model, String name, Backend backend) {
        return backend.model().equals(id.getTag(model)) && backend.name().equals(id.getTag(name));
    }

    private void watch(Upstream upstream) {
        Tags tags = Tags.of("model", upstream.model(), "backend", upstream.name());
        gauge(
                "penstock.requests.running",
                "Sequences in the batch",
                upstream,
                tags,
                u -> u.load().running());
        gauge(
                "penstock.requests.waiting",
                "Requests that wait for a place",
                upstream,
                tags,
                u -> u.load().waiting());
        gauge("penstock.backend.available", "Whether it takes requests", upstream, tags, u -> u.available() ? 1 : 0);
    }

    private <T> void gauge(String name, String description, T backend, Tags tags, ToDoubleFunction<T> value) {
        Gauge.builder(name, backend, value).description(description).tags(tags).register(meters);
    }

    private void count(
            String name, String description, Replica replica, Tags tags, ToDoubleFunction<EngineStats> value) {
        FunctionCounter.builder(name, replica, r -> value.applyAsDouble(r.stats()))
                .description(description)
                .tags(tags)
                .register(meters);
    }

    private static Duration[] durations(long... ms) {
        Duration[] durations = new Duration[ms.length];
        for (int i = 0; i < ms.length; i++) {
            durations[i] = Duration.ofMillis(ms[i]);
        }
        return durations;
    }

    /** Called on the loop's thread: every meter is there before. */
    private static final class Observer implements EngineObserver {
        private final Timer queue;
        private final Timer ttft;
        private final Timer tpot;
        private final Timer total;
        private final Timer schedule;
        private final Timer run;
        private final Timer publish;
        private final Counter decodeTokens;
        private final Counter prefillTokens;
        private final Map<Outcome, Counter> requests = new EnumMap<>(Outcome.class);

        Observer(MeterRegistry meters, Tags tags) {
            queue = timer(meters, "penstock.queue.time", "From submission to a place in the batch", tags);
            ttft = timer(meters, "penstock.time.to.first.token", "From submission to the first token", tags);
            tpot = timer(meters, "penstock.time.per.output.token", "Mean time between a request's tokens", tags);
            total = timer(meters, "penstock.request.time", "From submission to the end", tags);
            schedule = step(meters, tags, "schedule");
            run = step(meters, tags, "run");
            publish = step(meters, tags, "publish");
            decodeTokens = tokens(meters, tags, "decode");
            prefillTokens = tokens(meters, tags, "prefill");
            for (Outcome outcome : Outcome.values()) {
                requests.put(
                        outcome,
                        Counter.builder("penstock.requests")
                                .description("Requests by how they ended")
                                .tags(tags.and("outcome", outcome.name().toLowerCase(Locale.ROOT)))
                                .register(meters));
            }
        }

        @Override
        public void stepEnded(StepSummary step) {
            schedule.record(step.scheduleNs(), TimeUnit.NANOSECONDS);
            run.record(step.runNs(), TimeUnit.NANOSECONDS);
            publish.record(step.publishNs(), TimeUnit.NANOSECONDS);
            decodeTokens.increment(step.decodeTokens());
            prefillTokens.increment(step.promptTokens());
        }

        @Override
        public void firstToken(long queueNs, long ttftNs) {
            queue.record(queueNs, TimeUnit.NANOSECONDS);
            ttft.record(ttftNs, TimeUnit.NANOSECONDS);
        }

        @Override
        public void sequenceEnded(SequenceSummary sequence) {
            Counter counter = requests.get(sequence.outcome());
            if (counter != null) {
                counter.increment();
            }
            total.record(sequence.totalNs(), TimeUnit.NANOSECONDS);
            sequence.tpotNs().ifPresent(ns -> tpot.record(ns, TimeUnit.NANOSECONDS));
        }

        private static Timer timer(MeterRegistry meters, String name, String description, Tags tags) {
            return Timer.builder(name)
                    .description(description)
                    .tags(tags)
                    .serviceLevelObjectives(LATENCIES)
                    .register(meters);
        }

        private static Timer step(MeterRegistry meters, Tags tags, String phase) {
            return timer(meters, "penstock.step.time", "Time of a step by its phase", tags.and("phase", phase));
        }

        private static Counter tokens(MeterRegistry meters, Tags tags, String kind) {
            return Counter.builder("penstock.step.tokens")
                    .description("Tokens that went through steps")
                    .tags(tags.and("kind", kind))
                    .register(meters);
        }
    }
}
