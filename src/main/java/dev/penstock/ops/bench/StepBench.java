package dev.penstock.ops.bench;

import dev.penstock.engine.ModelRunner;
import dev.penstock.engine.StepBatch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import java.util.function.LongConsumer;

/**
 * Times steps of a model runner. Keys and values of earlier tokens are whatever the KV cache holds: attention costs the
 * same, so that a long context need not be computed first; the cache should not be untouched memory, though, which the
 * system may serve from one page of zeros.
 */
final class StepBench {
    private final ModelRunner runner;
    private final Random random = new Random(1);

    StepBench(ModelRunner runner) {
        this.runner = runner;
    }

    /** Blocks of so many tokens that a case with {@code steps} decode steps needs. */
    static int blocks(BenchCase benchCase, int blockSize, int steps) {
        return benchCase.sequences() * blocksPerSequence(benchCase, blockSize, steps);
    }

    private static int blocksPerSequence(BenchCase benchCase, int blockSize, int steps) {
        return Math.ceilDiv(benchCase.tokensPerSequence(steps), blockSize);
    }

    /**
     * Runs a case once.
     *
     * @param steps decode steps
     * @param timesNs receives nanoseconds of the whole prompt, or of each decode step
     */
    void run(BenchCase benchCase, int steps, LongConsumer timesNs) {
        switch (benchCase) {
            case BenchCase.Prompt prompt -> timesNs.accept(prompt(prompt));
            case BenchCase.Decode decode -> decode(decode, steps, timesNs);
        }
    }

    private long prompt(BenchCase.Prompt prompt) {
        int chunk = Math.min(prompt.tokens(), runner.maxTokensPerStep());
        int blocks = blocksPerSequence(prompt, runner.blockSize(), 0);
        int[] table = table(1, blocks);
        long[] tokens = tokens(prompt.tokens());
        long startNs = System.nanoTime();
        for (int done = 0; done < prompt.tokens(); done += chunk) {
            int count = Math.min(chunk, prompt.tokens() - done);
            long[] ids = Arrays.copyOfRange(tokens, done, done + count);
            int rows = done + count == prompt.tokens() ? 1 : 0;
            run(new StepBatch(
                    ids,
                    count,
                    new int[] {0, count},
                    new int[] {done},
                    1,
                    table,
                    blocks,
                    new long[] {count - 1},
                    rows));
        }
        return System.nanoTime() - startNs;
    }

    private void decode(BenchCase.Decode decode, int steps, LongConsumer timesNs) {
        int batch = decode.batch();
        int blocks = blocksPerSequence(decode, runner.blockSize(), steps);
        int[] table = table(batch, blocks);
        int[] starts = new int[batch + 1];
        long[] rows = new long[batch];
        for (int i = 0; i < batch; i++) {
            starts[i + 1] = i + 1;
            rows[i] = i;
        }
        for (int step = 0; step < steps; step++) {
            int[] past = new int[batch];
            Arrays.fill(past, decode.context() + step);
            long[] ids = tokens(batch);
            long startNs = System.nanoTime();
            run(new StepBatch(ids, batch, starts, past, batch, table, blocks, rows, batch));
            timesNs.accept(System.nanoTime() - startNs);
        }
    }

    private void run(StepBatch batch) {
        MemorySegment logits = runner.run(batch);
        if (batch.rows() > 0 && !Float.isFinite(logits.get(ValueLayout.JAVA_FLOAT, 0))) {
            throw new IllegalStateException("the model computed logits that are not finite");
        }
    }

    /** Each sequence has blocks of its own, in a row. */
    private static int[] table(int sequences, int blocksPerSequence) {
        int[] table = new int[sequences * blocksPerSequence];
        for (int i = 0; i < table.length; i++) {
            table[i] = i;
        }
        return table;
    }

    private long[] tokens(int count) {
        return random.longs(count, 0, runner.shape().vocabSize()).toArray();
    }
}
