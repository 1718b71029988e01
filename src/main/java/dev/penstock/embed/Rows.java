package dev.penstock.embed;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.penstock.model.Pooling;
import java.lang.foreign.MemorySegment;

/** Makes an input's row of what a graph gave. */
final class Rows {
    private Rows() {}

    /**
     * The one vector of several.
     *
     * @param vectors [tokens, width] 32-bit floats, row by row
     * @param tokens how many there are, without padding
     */
    static float[] pool(Pooling pooling, MemorySegment vectors, int tokens, int width) {
        return switch (pooling) {
            case CLS -> row(vectors, 0, width);
            case LAST -> row(vectors, tokens - 1, width);
            case MEAN -> mean(vectors, tokens, width);
        };
    }

    /** A row of [rows, width] 32-bit floats. */
    static float[] row(MemorySegment rows, int row, int width) {
        float[] numbers = new float[width];
        MemorySegment.copy(rows, JAVA_FLOAT, (long) row * width * Float.BYTES, numbers, 0, width);
        return numbers;
    }

    private static float[] mean(MemorySegment vectors, int tokens, int width) {
        double[] sums = new double[width];
        add(sums, vectors, 0, tokens);
        return mean(sums, tokens);
    }

    /** Adds rows to sums in 64 bits, so that these depend on the rows alone. */
    static void add(double[] sums, MemorySegment rows, int first, int count) {
        for (int r = first; r < first + count; r++) {
            long start = (long) r * sums.length;
            for (int i = 0; i < sums.length; i++) {
                sums[i] += rows.getAtIndex(JAVA_FLOAT, start + i);
            }
        }
    }

    /** The mean of so many rows of which these are the sums. */
    static float[] mean(double[] sums, int count) {
        float[] mean = new float[sums.length];
        for (int i = 0; i < mean.length; i++) {
            mean[i] = (float) (sums[i] / count);
        }
        return mean;
    }

    /** Scales a vector to length 1, in place; one of zeros stays. */
    static void normalize(float[] vector) {
        double squares = 0;
        for (float x : vector) {
            squares += (double) x * x;
        }
        if (squares > 0) {
            double factor = 1 / Math.sqrt(squares);
            for (int i = 0; i < vector.length; i++) {
                vector[i] = (float) (vector[i] * factor);
            }
        }
    }

    /** The logistic function of a logit, from 0 to 1. */
    static float sigmoid(float logit) {
        return (float) (1 / (1 + Math.exp(-logit)));
    }
}
