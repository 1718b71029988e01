package dev.penstock.ops.bench;

import dev.penstock.engine.EngineObserver;
import dev.penstock.engine.EngineOptions;
import dev.penstock.engine.EngineStats;
import dev.penstock.engine.OnnxModelRunner;
import dev.penstock.engine.RunnerConfig;
import dev.penstock.engine.StepLoop;
import dev.penstock.model.GenerationEvent;
import dev.penstock.model.GenerationRequest;
import dev.penstock.weights.Variant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Decodes texts that repeat their prompts, and others, through two step loops in turn: one with drafts and one without. */
public final class SpeculationBench {
    private static final int BLOCK_SIZE = 16;
    /** Tokens of a step: as a server's by default. */
    private static final int MAX_STEP_TOKENS = EngineOptions.DEFAULT_MAX_STEP_TOKENS;

    private SpeculationBench() {}

    /**
     * Measures; loads the variant twice.
     *
     * @param name of the model, for the report
     * @param plan its cases' batches, threads, cache and rounds count, these twice
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
            Map<RepeatedText, Tally> tallies = new EnumMap<>(RepeatedText.class);
            // What is loaded second gets worse memory, by one to three percent; each of the two is second once.
            for (boolean first : new boolean[] {false, true}) {
                try (StepLoop one = loop(variant, plan, batch, tokens, first);
                        StepLoop other = loop(variant, plan, batch, tokens, !first)) {
                    for (RepeatedText text : RepeatedText.values()) {
                        List<GenerationRequest> requests = requests(text, batch, tokens, variant);
                        tallies.computeIfAbsent(text, ignored -> new Tally())
                                .run(requests, first ? other : one, first ? one : other, plan.rounds());
                    }
                }
            }
            tallies.forEach((text, tally) -> results.add(tally.result(text, batch)));
        }
        return new SpeculationReport(
                name, variant.precision().label(), plan.kvType().label(), plan.threads(), tokens, List.copyOf(results));
    }

    private static List<GenerationRequest> requests(RepeatedText text, int batch, int tokens, Variant variant) {
        return IntStream.range(0, batch)
                .mapToObj(seed -> text.request(tokens, variant.shape().vocabSize(), seed))
                .toList();
    }

    /** What was measured of one text in one batch. */
    private static final class Tally {
        private final List<Double> without = new ArrayList<>();
        private final List<Double> with = new ArrayList<>();
        private long tokens;
        private long drafted;
        private long accepted;

        void run(List<GenerationRequest> requests, StepLoop plain, StepLoop drafting, int rounds)
                throws InterruptedException {
            // From here on the prefix cache has the prompts, so that all of them decode from the beginning.
            tokensPerSecond(plain, requests);
            tokensPerSecond(drafting, requests);
            EngineStats before = drafting.stats();
            for (int round = 0; round < rounds; round++) {
                without.add(tokensPerSecond(plain, requests));
                with.add(tokensPerSecond(drafting, requests));
            }
            EngineStats after = drafting.stats();
            tokens += after.completionTokens() - before.completionTokens();
            drafted += after.draftedTokens() - before.draftedTokens();
            accepted += after.acceptedTokens() - before.acceptedTokens();
        }

        SpeculationReport.Result result(RepeatedText text, int batch) {
            return new SpeculationReport.Result(
                    text.name().toLowerCase(Locale.ROOT),
                    text.description(),
                    batch,
                    median(without),
                    median(with),
                    (double) drafted / tokens,
                    (double) accepted / tokens);
        }
    }

    /** Of all these requests together, from the first submission to the last end. */
    private static double tokensPerSecond(StepLoop loop, List<GenerationRequest> requests) throws InterruptedException {
        CountDownLatch ended = new CountDownLatch(requests.size());
        AtomicLong tokens = new AtomicLong();
        AtomicReference<@Nullable String> failure = new AtomicReference<>();
        long startNs = System.nanoTime();
        for (GenerationRequest request : requests) {
            loop.submit(request, event -> {
                if (event instanceof GenerationEvent.Finished finished) {
                    tokens.addAndGet(finished.usage().completionTokens());
                    ended.countDown();
                } else if (event instanceof GenerationEvent.Failed failed) {
                    failure.set(failed.message());
                    ended.countDown();
                }
            });
        }
        ended.await();
        if (failure.get() != null) {
            throw new IllegalStateException("a sequence failed: " + failure.get());
        }
        return tokens.get() / ((System.nanoTime() - startNs) / 1e9);
    }

    private static StepLoop loop(Variant variant, BenchPlan plan, int batch, int tokens, boolean speculation) {
        // Twice what they take at once, so that the prompts stay in the prefix cache.
        int blocks = 2 * batch * (Math.ceilDiv(2 * tokens, BLOCK_SIZE) + 2);
        int stepTokens = Math.max(MAX_STEP_TOKENS, 2 * batch);
        RunnerConfig config = new RunnerConfig(
                plan.threads(),
                plan.kvType(),
                BLOCK_SIZE,
                blocks,
                stepTokens,
                Math.min(stepTokens, batch + EngineOptions.SPARE_ROWS));
        return StepLoop.start(
                "bench",
                OnnxModelRunner.open(variant.folder(), variant.shape(), config),
                new NumberTokenizer(variant.shape().vocabSize()),
                new EngineOptions(stepTokens, stepTokens, batch, batch, true, speculation),
                EngineObserver.NONE);
    }

    private static double median(List<Double> rates) {
        double[] sorted =
                rates.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
