package dev.penstock.routing;

import java.util.Arrays;

/** The last values of a series, kept in order of size for quantiles. */
final class SlidingQuantile {
    private final double[] byAge;
    private final double[] bySize;
    private int next;
    private int size;

    SlidingQuantile(int capacity) {
        byAge = new double[capacity];
        bySize = new double[capacity];
    }

    int size() {
        return size;
    }

    void add(double value) {
        if (size == byAge.length) {
            int out = Arrays.binarySearch(bySize, 0, size, byAge[next]);
            System.arraycopy(bySize, out + 1, bySize, out, size - out - 1);
            size--;
        }
        byAge[next] = value;
        next = (next + 1) % byAge.length;
        int found = Arrays.binarySearch(bySize, 0, size, value);
        int at = found < 0 ? -found - 1 : found;
        System.arraycopy(bySize, at, bySize, at + 1, size - at);
        bySize[at] = value;
        size++;
    }

    /** The smallest value that a share of the window and one more, as conformal prediction has it, stays within. */
    double quantile(double share) {
        int rank = (int) Math.ceil(share * (size + 1));
        return bySize[Math.clamp(rank - 1, 0, size - 1)];
    }

    /** Writes values at equal steps of rank, from nothing on, and by how much those above each exceed it on average. */
    void meanExcess(double[] at, double[] excess) {
        double above = 0;
        int rank = size;
        for (int i = at.length - 1; i >= 0; i--) {
            int from = i * size / at.length;
            while (rank > from) {
                above += bySize[--rank];
            }
            at[i] = i == 0 ? 0 : bySize[from - 1];
            excess[i] = above / (size - from) - at[i];
        }
    }
}
