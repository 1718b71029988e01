package dev.penstock.prompt.constraint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A partition of the bytes into classes whose members nothing tells apart; begins as one class. */
final class ByteClasses {
    private final int[] classOf = new int[256];
    private int count = 1;

    /** Divides each class into what is in the set and what is not. */
    void split(ByteSet set) {
        int[] inside = new int[count];
        int[] outside = new int[count];
        Arrays.fill(inside, -1);
        Arrays.fill(outside, -1);
        int next = 0;
        for (int b = 0; b < 256; b++) {
            int[] half = set.contains(b) ? inside : outside;
            int old = classOf[b];
            if (half[old] < 0) {
                half[old] = next++;
            }
            classOf[b] = half[old];
        }
        count = next;
    }

    int count() {
        return count;
    }

    int of(int b) {
        return classOf[b];
    }

    /** Some byte of each class. */
    int[] representatives() {
        int[] bytes = new int[count];
        for (int b = 255; b >= 0; b--) {
            bytes[classOf[b]] = b;
        }
        return bytes;
    }

    /** The classes as sets. */
    List<ByteSet> sets() {
        ByteSet[] sets = new ByteSet[count];
        Arrays.fill(sets, ByteSet.NONE);
        for (int b = 0; b < 256; b++) {
            sets[classOf[b]] = sets[classOf[b]].or(ByteSet.of(b));
        }
        return new ArrayList<>(List.of(sets));
    }
}
