package dev.penstock.ops.quality;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;

/**
 * Sums up how far the distributions that a model predicts are from a reference's, and how likely it finds what comes.
 * Everything is in double precision and in nats; for one thread.
 */
final class Divergence {
    private final int vocabSize;
    private long tokens;
    private double surprise;
    private double divergence;
    private long agreements;

    /** For rows of so many logits. */
    Divergence(int vocabSize) {
        this.vocabSize = vocabSize;
    }

    /** What one position adds. */
    private record Row(double surprise, double divergence, boolean agrees) {}

    /**
     * Adds positions.
     *
     * @param reference logits, [at least the number of targets, vocabSize]
     * @param found logits of the same shape; may be the same memory
     * @param targets the token that follows each position
     */
    void add(MemorySegment reference, MemorySegment found, int[] targets) {
        // Rows cost a few hundred thousand exponentials each; they are added up in order.
        Row[] rows = IntStream.range(0, targets.length)
                .parallel()
                .mapToObj(r -> row(reference, found, (long) r * vocabSize, targets[r]))
                .toArray(Row[]::new);
        for (Row row : rows) {
            surprise += row.surprise();
            divergence += row.divergence();
            agreements += row.agrees() ? 1 : 0;
        }
        tokens += targets.length;
    }

    private Row row(MemorySegment reference, MemorySegment found, long start, int target) {
        double logSumP = logSum(reference, start);
        double logSumQ = logSum(found, start);
        double sum = 0;
        for (int i = 0; i < vocabSize; i++) {
            double p = logit(reference, start + i) - logSumP;
            double q = logit(found, start + i) - logSumQ;
            sum += Math.exp(p) * (p - q);
        }
        return new Row(logSumQ - logit(found, start + target), sum, largest(reference, start) == largest(found, start));
    }

    private double logSum(MemorySegment logits, long start) {
        double most = logit(logits, start + largest(logits, start));
        double sum = 0;
        for (int i = 0; i < vocabSize; i++) {
            sum += Math.exp(logit(logits, start + i) - most);
        }
        return most + Math.log(sum);
    }

    private int largest(MemorySegment logits, long start) {
        int best = 0;
        for (int i = 1; i < vocabSize; i++) {
            if (logit(logits, start + i) > logit(logits, start + best)) {
                best = i;
            }
        }
        return best;
    }

    private static float logit(MemorySegment logits, long index) {
        return logits.getAtIndex(ValueLayout.JAVA_FLOAT, index);
    }

    /** Positions so far. */
    long tokens() {
        return tokens;
    }

    /** The exponential of the mean surprise. */
    double perplexity() {
        return Math.exp(surprise / tokens);
    }

    /** Mean Kullback-Leibler divergence of the found distribution from the reference. */
    double meanDivergence() {
        return divergence / tokens;
    }

    /** The share of positions at which both find the same token most likely. */
    double agreement() {
        return (double) agreements / tokens;
    }
}
