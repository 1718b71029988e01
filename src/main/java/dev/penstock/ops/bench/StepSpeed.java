package dev.penstock.ops.bench;

import dev.penstock.engine.OnnxModelRunner;
import dev.penstock.engine.RunnerConfig;
import dev.penstock.model.KvType;
import dev.penstock.weights.Variant;
import org.HdrHistogram.Histogram;

/**
 * How fast one sequence of a variant is computed, in a few seconds; {@link ModelBench} measures more.
 *
 * @param prefillTokensPerSecond of a prompt of {@value #PROMPT} tokens, or of half the context if that is less
 * @param decodeTokensPerSecond after such a prompt
 */
public record StepSpeed(double prefillTokensPerSecond, double decodeTokensPerSecond) {
    private static final int PROMPT = 128;
    private static final int STEPS = 16;
    private static final int ROUNDS = 3;
    private static final int BLOCK_SIZE = 16;
    private static final int DIGITS = 4;

    /** Measures; medians of a few rounds after one that does not count. */
    public static StepSpeed measure(Variant variant, KvType kvType, int threads) {
        int tokens = Math.min(PROMPT, variant.shape().contextLength() / 2);
        int steps = Math.min(STEPS, variant.shape().contextLength() - tokens);
        int blocks = Math.ceilDiv(tokens + steps, BLOCK_SIZE);
        Histogram promptNs = new Histogram(DIGITS);
        Histogram stepNs = new Histogram(DIGITS);
        try (OnnxModelRunner runner = OnnxModelRunner.open(
                variant.folder(),
                variant.shape(),
                new RunnerConfig(threads, kvType, BLOCK_SIZE, blocks, Math.max(2, tokens), 1))) {
            runner.fillCache(1);
            StepBench bench = new StepBench(runner);
            for (int round = -1; round < ROUNDS; round++) {
                boolean timed = round >= 0;
                bench.run(new BenchCase.Prompt(tokens), 0, timed ? promptNs::recordValue : ignored -> {});
                bench.run(new BenchCase.Decode(1, tokens), steps, timed ? stepNs::recordValue : ignored -> {});
            }
        }
        return new StepSpeed(tokens * 1e9 / median(promptNs), 1e9 / median(stepNs));
    }

    private static double median(Histogram times) {
        return times.getValueAtPercentile(50);
    }
}
