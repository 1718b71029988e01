package dev.penstock.onnx.experts;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** Which experts each token of a step takes and with what weight, in order of experts. For one thread. */
final class ExpertRouting {
    private static final MemorySegment ALL_MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final ExpertConfig config;
    /** First place of each expert in {@link #tokens} and {@link #weights}; at the end how many places there are. */
    private final int[] starts;

    private int[] chosen = {};
    private float[] shares = {};
    private int[] tokens = {};
    private float[] weights = {};

    ExpertRouting(ExpertConfig config) {
        this.config = config;
        starts = new int[config.experts() + 1];
    }

    /** Routes tokens by their router logits at that address, [count, experts]; equal logits go to the lower expert. */
    void route(long logits, int count) {
        int k = config.chosen();
        if (chosen.length < count * k) {
            chosen = new int[count * k];
            shares = new float[count * k];
            tokens = new int[count * k];
            weights = new float[count * k];
        }
        Arrays.fill(starts, 0);
        float[] row = new float[config.experts()];
        for (int t = 0; t < count; t++) {
            for (int e = 0; e < row.length; e++) {
                row[e] = ALL_MEMORY.get(JAVA_FLOAT_UNALIGNED, logits + 4L * (t * row.length + e));
            }
            choose(row, t * k);
        }
        for (int i = 0; i < count * k; i++) {
            starts[chosen[i] + 1]++;
        }
        for (int e = 0; e < config.experts(); e++) {
            starts[e + 1] += starts[e];
        }
        int[] next = starts.clone();
        for (int i = 0; i < count * k; i++) {
            int place = next[chosen[i]]++;
            tokens[place] = i / k;
            weights[place] = shares[i];
        }
    }

    /** Writes a token's experts and their weights from {@code at} on. */
    private void choose(float[] logits, int at) {
        float[] left = logits.clone();
        for (int i = at; i < at + config.chosen(); i++) {
            int best = 0;
            for (int e = 1; e < left.length; e++) {
                if (left[e] > left[best]) {
                    best = e;
                }
            }
            chosen[i] = best;
            left[best] = Float.NEGATIVE_INFINITY;
        }
        double top = logits[chosen[at]];
        double sum = 0;
        if (config.renormalised()) {
            for (int i = at; i < at + config.chosen(); i++) {
                sum += Math.exp(logits[chosen[i]] - top);
            }
        } else {
            for (float logit : logits) {
                sum += Math.exp(logit - top);
            }
        }
        for (int i = at; i < at + config.chosen(); i++) {
            shares[i] = (float) (Math.exp(logits[chosen[i]] - top) / sum);
        }
    }

    /** The first place of an expert; its last one is before that of the next expert. */
    int start(int expert) {
        return starts[expert];
    }

    /** The token at a place. */
    int token(int place) {
        return tokens[place];
    }

    /** The weight of the expert's output for that token. */
    float weight(int place) {
        return weights[place];
    }
}
