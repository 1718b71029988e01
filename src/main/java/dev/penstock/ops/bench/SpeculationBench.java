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
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
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
            try (StepLoop without = loop(variant, plan, batch, tokens, false);
                    StepLoop with = loop(variant, plan, batch, tokens, true)) {
                for (RepeatedText text : RepeatedText.values()) {
                    List<GenerationRequest> requests = IntStream.range(0, batch)
                            .mapToObj(
                                    seed -> text.request(tokens, variant.shape().vocabSize(), seed))
                            .toList();
                    results.add(compare(text, requests, without, with, plan.rounds()));
                }
            }
        }
        return new SpeculationReport(
                name, variant.precision().label(), plan.kvType().label(), plan.threads(), tokens, List.copyOf(results));
    }

    private static SpeculationReport.Result compare(
            RepeatedText text, List<GenerationRequest> requests, StepLoop without, StepLoop with, int rounds)
            throws InterruptedException {
        // From here on the prefix cache has the prompts, so that all of them decode from the beginning.
        tokensPerSecond(without, requests);
        tokensPerSecond(with, requests);
        EngineStats before = with.stats();
        double[] rateWithout = new double[rounds];
        double[] rateWith = new double[rounds];
        for (int round = 0; round < rounds; round++) {
            rateWithout[round] = tokensPerSecond(without, requests);
            rateWith[round] = tokensPerSecond(with, requests);
        }
        EngineStats after = with.stats();
        double tokens = after.completionTokens() - before.completionTokens();
        return new SpeculationReport.Result(
                text.name().toLowerCase(Locale.ROOT),
                text.description(),
                requests.size(),
                median(rateWithout),
                median(rateWith),
                (after.draftedTokens() - before.draftedTokens()) / tokens,
                (after.acceptedTokens() - before.acceptedTokens()) / tokens);
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

    private static double median(double[] rates) {
        double[] sorted = rates.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
