package dev.penstock.ops.bench;

import dev.penstock.engine.EngineObserver;
import dev.penstock.engine.EngineOptions;
import dev.penstock.engine.EngineStats;
import dev.penstock.engine.ModelRunner;
import dev.penstock.engine.OnnxModelRunner;
import dev.penstock.engine.RunnerConfig;
import dev.penstock.engine.StepLoop;
import dev.penstock.model.GenerationEvent;
import dev.penstock.model.GenerationRequest;
import dev.penstock.weights.Variant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.HdrHistogram.DoubleHistogram;
import org.jspecify.annotations.Nullable;

/** Decodes texts that repeat their prompts, and others, through two step loops over one model in turn: one with drafts and one without. */
public final class SpeculationBench {
    private static final int BLOCK_SIZE = 16;
    /** Tokens of a step: as a server's by default. */
    private static final int MAX_STEP_TOKENS = EngineOptions.DEFAULT_MAX_STEP_TOKENS;

    /** Of what is measured. */
    private static final int DIGITS = 3;

    private SpeculationBench() {}

    /**
     * Measures.
     *
     * @param name of the model, for the report
     * @param plan its cases' batches, threads, cache and rounds count
     * @param tokens of each prompt and of each text, at least 24
     * @throws IllegalArgumentException that is too few, or more than the context holds
     */
    public static SpeculationReport run(String name, Variant variant, BenchPlan plan, int tokens)
            throws InterruptedException {
        if (tokens < 24 || 2 * tokens > variant.shape().contextLength()) {
            throw new IllegalArgumentException(
                    "prompts of %d tokens: there must be at least 24, and room for twice as many in".formatted(tokens)
                            + " the context of " + variant.shape().contextLength());
        }
        List<SpeculationReport.Result> results = new ArrayList<>();
        List<Integer> batches = plan.cases().stream()
                .filter(BenchCase.Decode.class::isInstance)
                .map(BenchCase::sequences)
                .distinct()
                .toList();
        for (int batch : batches) {
            RunnerConfig config = config(plan, batch, tokens);
            try (OnnxModelRunner runner = OnnxModelRunner.open(variant.folder(), variant.shape(), config);
                    Side plain = new Side(runner, 0, batch, false);
                    Side drafting = new Side(runner, config.blocks() / 2, batch, true)) {
                for (RepeatedText text : RepeatedText.values()) {
                    List<GenerationRequest> requests = requests(text, batch, tokens, variant);
                    results.add(compare(text, requests, plain, drafting, plan.rounds()));
                }
            }
        }
        return new SpeculationReport(
                name, variant.precision().label(), plan.kvType().label(), plan.threads(), tokens, List.copyOf(results));
    }

    private static List<GenerationRequest> requests(RepeatedText text, int batch, int tokens, Variant variant) {
        return IntStream.range(0, batch)
                .mapToObj(seed -> text.request(tokens, variant.shape().vocabSize(), seed))
                .toList();
    }

    private static SpeculationReport.Result compare(
            RepeatedText text, List<GenerationRequest> requests, Side plain, Side drafting, int rounds)
            throws InterruptedException {
        // From here on the prefix caches have the prompts, so that all of them decode from the beginning.
        plain.tokensPerSecond(requests);
        drafting.tokensPerSecond(requests);
        plain.restart();
        drafting.restart();
        DoubleHistogram without = new DoubleHistogram(DIGITS);
        DoubleHistogram with = new DoubleHistogram(DIGITS);
        DoubleHistogram ratios = new DoubleHistogram(DIGITS);
        EngineStats before = drafting.loop.stats();
        for (int round = 0; round < rounds; round++) {
            // What grows slower or faster with time does as much to one as to the other.
            boolean plainFirst = round % 2 == 0;
            double first = (plainFirst ? plain : drafting).tokensPerSecond(requests);
            double second = (plainFirst ? drafting : plain).tokensPerSecond(requests);
            without.recordValue(plainFirst ? first : second);
            with.recordValue(plainFirst ? second : first);
            ratios.recordValue(plainFirst ? second / first : first / second);
        }
        EngineStats after = drafting.loop.stats();
        double tokens = after.completionTokens() - before.completionTokens();
        return new SpeculationReport.Result(
                text.name().toLowerCase(Locale.ROOT),
                text.description(),
                requests.size(),
                without.getValueAtPercentile(50),
                with.getValueAtPercentile(50),
                ratios.getValueAtPercentile(25),
                ratios.getValueAtPercentile(50),
                ratios.getValueAtPercentile(75),
                plain.scheduleUs(),
                drafting.scheduleUs(),
                (after.draftedTokens() - before.draftedTokens()) / tokens,
                (after.acceptedTokens() - before.acceptedTokens()) / tokens);
    }

    private static RunnerConfig config(BenchPlan plan, int batch, int tokens) {
        // For each of two loops twice what it takes at once, so that the prompts stay in its prefix cache.
        int blocks = 2 * 2 * batch * (Math.ceilDiv(2 * tokens, BLOCK_SIZE) + 2);
        int stepTokens = stepTokens(batch);
        return new RunnerConfig(
                plan.threads(),
                plan.kvType(),
                BLOCK_SIZE,
                blocks,
                stepTokens,
                Math.min(stepTokens, batch + EngineOptions.SPARE_ROWS));
    }

    private static int stepTokens(int batch) {
        return Math.max(MAX_STEP_TOKENS, 2 * batch);
    }

    /** One of the two that are compared. */
    private static final class Side implements EngineObserver, AutoCloseable {
        /** Microseconds that it took to choose and lay out a step's tokens. Guarded by this. */
        private final DoubleHistogram schedule = new DoubleHistogram(DIGITS);

        /** Time of this round's steps without prompts. Guarded by this. */
        private long decodeNs;

        /** Guarded by this. */
        private Round round = new Round(0);

        private final StepLoop loop;

        private Side(ModelRunner runner, int firstBlock, int batch, boolean speculation) {
            int stepTokens = stepTokens(batch);
            loop = StepLoop.start(
                    "bench",
                    new SharedRunner(runner, firstBlock, runner.blockCount() / 2),
                    new NumberTokenizer(runner.shape().vocabSize()),
                    new EngineOptions(stepTokens, stepTokens, batch, batch, true, speculation),
                    this);
        }

        @Override
        public synchronized void stepEnded(StepSummary step) {
            schedule.recordValue(step.scheduleNs() / 1e3);
            if (step.promptTokens() == 0) {
                decodeNs += step.scheduleNs() + step.runNs() + step.publishNs();
            }
            round.stepEnded();
        }

        /** Of all these requests together, their first tokens and the steps with prompts left out. */
        double tokensPerSecond(List<GenerationRequest> requests) throws InterruptedException {
            Round now = new Round(requests.size());
            synchronized (this) {
                decodeNs = 0;
                round = now;
            }
            for (GenerationRequest request : requests) {
                loop.submit(request, now::told);
            }
            return now.tokens() / (decodeNs() / 1e9);
        }

        private synchronized long decodeNs() {
            return decodeNs;
        }

        synchronized void restart() {
            schedule.reset();
        }

        synchronized double scheduleUs() {
            return schedule.getValueAtPercentile(50);
        }

        @Override
        public void close() {
            loop.close();
        }
    }

    /** Requests that run together. */
    private static final class Round {
        private final CountDownLatch over = new CountDownLatch(1);
        private final AtomicInteger open;
        private final AtomicLong tokens = new AtomicLong();
        private final AtomicReference<@Nullable String> failure = new AtomicReference<>();

        Round(int requests) {
            open = new AtomicInteger(requests);
        }

        void told(GenerationEvent event) {
            if (event instanceof GenerationEvent.Finished finished) {
                tokens.addAndGet(finished.usage().completionTokens() - 1);
                open.decrementAndGet();
            } else if (event instanceof GenerationEvent.Failed failed) {
                failure.set(failed.message());
                over.countDown();
            }
        }

        /** The last step ends after its last request. */
        void stepEnded() {
            if (open.get() == 0) {
                over.countDown();
            }
        }

        /** Of all requests but the first of each, once all have ended. */
        long tokens() throws InterruptedException {
            over.await();
            if (failure.get() != null) {
                throw new IllegalStateException("a sequence failed: " + failure.get());
            }
            return tokens.get();
        }
    }
}
