package dev.penstock.embed;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Chooses which inputs run together: the oldest, and others of about its length, so that little is padding. */
final class BatchPicker {
    /** Below this padding costs less than a batch of its own. */
    private static final int SHORT = 16;

    private BatchPicker() {}

    /**
     * Chooses a batch.
     *
     * @param lengths of the inputs that wait, the oldest first; at least one
     * @param maxTokens most tokens of a batch, padding included, unless the oldest alone has more
     * @return places of the chosen ones, ascending; the first is 0
     */
    static List<Integer> pick(int[] lengths, int maxTokens) {
        int oldest = lengths[0];
        List<Integer> byDistance = IntStream.range(1, lengths.length)
                .boxed()
                .sorted(Comparator.comparingInt(i -> Math.abs(lengths[i] - oldest)))
                .toList();
        List<Integer> picked = new ArrayList<>(List.of(0));
        int shortest = oldest;
        int longest = oldest;
        for (int i : byDistance) {
            int low = Math.min(shortest, lengths[i]);
            int high = Math.max(longest, lengths[i]);
            boolean alike = high <= SHORT || 4L * low >= 3L * high;
            if (!alike || (picked.size() + 1L) * high > maxTokens) {
                // One on the other side may still do, but it lies farther off.
                continue;
            }
            shortest = low;
            longest = high;
            picked.add(i);
        }
        picked.sort(Comparator.naturalOrder());
        return picked;
    }
}
