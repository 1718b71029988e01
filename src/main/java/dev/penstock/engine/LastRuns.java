package dev.penstock.engine;

import java.util.concurrent.ThreadLocalRandom;

/**
 * Where each run of n tokens of a growing sequence came last: a hash table of places, with runs compared and not only their
 * hashes. Takes about 12 bytes a token. For one thread.
 */
final class LastRuns {
    private final int length;

    /** Random, so that nobody can write a prompt whose runs all meet in one slot. */
    private final long factor = ThreadLocalRandom.current().nextLong() | 1;

    /** The place behind a run; 0 where there is none. */
    private int[] slots = new int[64];

    private int runs;

    /** The place behind the last run that was added. */
    private int added;

    /** For runs of this many tokens. */
    LastRuns(int length) {
        this.length = length;
    }

    /** Adds all runs that end before the place {@code upTo} of these tokens, which begin as those of the call before did. */
    void add(int[] tokens, int upTo) {
        for (int end = Math.max(added + 1, length); end <= upTo; end++) {
            int slot = slot(tokens, end);
            if (slots[slot] == 0 && 2 * ++runs > slots.length) {
                grow(tokens);
                slot = slot(tokens, end);
            }
            slots[slot] = end;
        }
        added = Math.max(added, upTo);
    }

    /** The place behind the last of the added runs that equals the one that ends before {@code end}; 0 if none does. */
    int find(int[] tokens, int end) {
        return end < length ? 0 : slots[slot(tokens, end)];
    }

    /** The slot of a run, or the free one where it belongs. */
    private int slot(int[] tokens, int end) {
        long hash = 0;
        for (int i = end - length; i < end; i++) {
            hash = (hash + tokens[i] + 1) * factor;
            hash ^= hash >>> 32;
        }
        int mask = slots.length - 1;
        int slot = (int) hash & mask;
        while (slots[slot] != 0 && !same(tokens, slots[slot], end)) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private boolean same(int[] tokens, int end, int otherEnd) {
        for (int back = 1; back <= length; back++) {
            if (tokens[end - back] != tokens[otherEnd - back]) {
                return false;
            }
        }
        return true;
    }

    private void grow(int[] tokens) {
        int[] before = slots;
        slots = new int[2 * before.length];
        for (int end : before) {
            if (end > 0) {
                slots[slot(tokens, end)] = end;
            }
        }
    }
}
