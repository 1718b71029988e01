package dev.penstock.engine;

import java.util.Arrays;

/**
 * The most likely tokens of a row, lower ids first among equals, found in one pass with a heap of as many places. Used
 * again for row after row.
 */
final class LargestLogits {
    /**
     * A heap with the least likely of the kept ones on top; once finished, all in ascending order. Each is a number that
     * orders like (logit, lower id): the logit's bits made to order like an integer, over the inverted id.
     */
    private long[] kept = new long[64];

    private int capacity;
    private int size;

    /** Starts over, to keep this many. */
    void begin(int count) {
        capacity = count;
        size = 0;
        if (kept.length < count) {
            kept = new long[count];
        }
    }

    /** What a logit must be over to be kept, given that ids are offered in ascending order. */
    float threshold() {
        if (size < capacity) {
            return Float.NEGATIVE_INFINITY;
        }
        return logitOf(kept[0]);
    }

    /** Keeps the token if it is among the largest so far; ids come in ascending order. */
    void offer(int token, float logit) {
        if (!(logit > threshold())) {
            return;
        }
        long key = key(token, logit);
        if (size < capacity) {
            siftUp(size++, key);
        } else {
            siftDown(key);
        }
    }

    /** Sorts what was kept. */
    void finish() {
        Arrays.sort(kept, 0, size);
    }

    int size() {
        return size;
    }

    /** The token at this rank, 0 for the most likely one; after {@link #finish}. */
    int token(int rank) {
        return ~(int) kept[size - 1 - rank];
    }

    /** The logit at this rank; after {@link #finish}. */
    float logit(int rank) {
        return logitOf(kept[size - 1 - rank]);
    }

    private void siftUp(int place, long key) {
        int at = place;
        while (at > 0) {
            int parent = (at - 1) >>> 1;
            if (kept[parent] <= key) {
                break;
            }
            kept[at] = kept[parent];
            at = parent;
        }
        kept[at] = key;
    }

    private void siftDown(long key) {
        int at = 0;
        for (int child = 1; child < size; child = 2 * at + 1) {
            if (child + 1 < size && kept[child + 1] < kept[child]) {
                child++;
            }
            if (kept[child] >= key) {
                break;
            }
            kept[at] = kept[child];
            at = child;
        }
        kept[at] = key;
    }

    private static long key(int token, float logit) {
        // Adding zero makes -0 and 0 the same.
        int bits = Float.floatToRawIntBits(logit + 0f);
        int ordered = bits ^ ((bits >> 31) & Integer.MAX_VALUE);
        return ((long) ordered << 32) | (~token & 0xFFFF_FFFFL);
    }

    private static float logitOf(long key) {
        int ordered = (int) (key >> 32);
        return Float.intBitsToFloat(ordered ^ ((ordered >> 31) & Integer.MAX_VALUE));
    }
}
