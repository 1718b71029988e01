package dev.penstock.weights;

import dev.penstock.engine.OnnxModelRunner;
import dev.penstock.engine.StepBatch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;

/** Runs chunks of sequences as steps of packed tokens, and holds their logits against {@link ReferenceModel}. */
final class PackedRuns {
    static final int BLOCK_SIZE = 16;
    static final int BLOCKS = 64;
    static final double FP32_TOLERANCE = 1e-4;

    private PackedRuns() {}

    /** A sequence that has some of its tokens in the cache. */
    static final class Sequence {
        final int[] tokens;
        final double[][] expected;
        final int firstBlock;
        int done;

        Sequence(ReferenceModel reference, int[] tokens, int firstBlock) {
            this(tokens, reference.logits(tokens), firstBlock);
        }

        Sequence(int[] tokens, double[][] expected, int firstBlock) {
            this.tokens = tokens;
            this.expected = expected;
            this.firstBlock = firstBlock;
        }
    }

    /** The next so many tokens of a sequence. */
    record Chunk(Sequence sequence, int count) {}

    /** A whole prompt, then one in chunks, then one that is decoded token by token; returns the greatest difference. */
    static double alone(OnnxModelRunner runner, ReferenceModel reference, Random random) {
        int vocab = runner.shape().vocabSize();
        Sequence whole = new Sequence(reference, tokens(random, 37, vocab), 0);
        double greatest = greatestDifference(runner, new Chunk(whole, 37));
        Sequence chunked = new Sequence(reference, tokens(random, 60, vocab), 8);
        for (int count : new int[] {10, 1, 22, 16, 11}) {
            greatest = Math.max(greatest, greatestDifference(runner, new Chunk(chunked, count)));
        }
        Sequence decoded = new Sequence(reference, tokens(random, 40, vocab), 16);
        greatest = Math.max(greatest, greatestDifference(runner, new Chunk(decoded, 25)));
        while (decoded.done < 40) {
            greatest = Math.max(greatest, greatestDifference(runner, new Chunk(decoded, 1)));
        }
        return greatest;
    }

    /** Six sequences of different lengths, with chunks of some of them in each step; returns the greatest difference. */
    static double together(OnnxModelRunner runner, ReferenceModel reference, Random random) {
        int vocab = runner.shape().vocabSize();
        List<Sequence> sequences = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            sequences.add(new Sequence(reference, tokens(random, random.nextInt(1, 70), vocab), 8 * i));
        }
        double greatest = 0;
        while (!sequences.isEmpty()) {
            List<Chunk> chunks = new ArrayList<>();
            for (Sequence s : sequences) {
                int most = Math.min(s.tokens.length - s.done, random.nextBoolean() ? 1 : 20);
                if (chunks.isEmpty() || random.nextInt(3) > 0) {
                    chunks.add(new Chunk(s, random.nextInt(1, most + 1)));
                }
            }
            greatest = Math.max(greatest, greatestDifference(runner, chunks.toArray(Chunk[]::new)));
            sequences.removeIf(s -> s.done == s.tokens.length);
        }
        return greatest;
    }

    /** Runs the chunks in one step, with logits of all their tokens; returns how far the furthest one is off. */
    static double greatestDifference(OnnxModelRunner runner, Chunk... chunks) {
        int tokens = Arrays.stream(chunks).mapToInt(Chunk::count).sum();
        List<double[]> rows =
                run(runner, List.of(chunks), LongStream.range(0, tokens).toArray());
        double greatest = 0;
        int row = 0;
        for (Chunk chunk : chunks) {
            for (int i = 0; i < chunk.count(); i++) {
                greatest = Math.max(
                        greatest, difference(rows.get(row++), chunk.sequence().expected[chunk.sequence().done++]));
            }
        }
        return greatest;
    }

    static List<double[]> run(OnnxModelRunner runner, List<Chunk> chunks, long... wanted) {
        int blockSize = runner.blockSize();
        int width = chunks.stream()
                .mapToInt(c -> Math.ceilDiv(c.sequence().done + c.count(), blockSize))
                .max()
                .orElseThrow();
        int tokens = chunks.stream().mapToInt(Chunk::count).sum();
        long[] ids = new long[tokens];
        int[] starts = new int[chunks.size() + 1];
        int[] past = new int[chunks.size()];
        int[] table = new int[chunks.size() * width];
        for (int s = 0; s < chunks.size(); s++) {
            Sequence sequence = chunks.get(s).sequence();
            past[s] = sequence.done;
            starts[s + 1] = starts[s] + chunks.get(s).count();
            for (int i = starts[s]; i < starts[s + 1]; i++) {
                ids[i] = sequence.tokens[sequence.done + i - starts[s]];
            }
            for (int b = 0; b < Math.ceilDiv(sequence.done + chunks.get(s).count(), blockSize); b++) {
                // Neighbours in a sequence are not neighbours in the cache.
                table[s * width + b] = sequence.firstBlock + (b ^ 1);
            }
        }
        MemorySegment logits = runner.run(
                new StepBatch(ids, tokens, starts, past, chunks.size(), table, width, wanted, wanted.length));
        List<double[]> rows = new ArrayList<>();
        for (int r = 0; r < wanted.length; r++) {
            rows.add(row(logits, r, runner.shape().vocabSize()));
        }
        return rows;
    }

    static double[] row(MemorySegment logits, int row, int vocab) {
        double[] values = new double[vocab];
        for (int i = 0; i < vocab; i++) {
            values[i] = logits.getAtIndex(ValueLayout.JAVA_FLOAT, (long) row * vocab + i);
        }
        return values;
    }

    static double difference(double[] a, double[] b) {
        double greatest = 0;
        for (int i = 0; i < a.length; i++) {
            // Written so that NaN is a difference.
            if (!(Math.abs(a[i] - b[i]) <= greatest)) {
                greatest = Math.abs(a[i] - b[i]);
            }
        }
        return greatest;
    }

    static int[] tokens(Random random, int count, int vocab) {
        return random.ints(count, 0, vocab).toArray();
    }
}
