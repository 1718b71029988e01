package dev.penstock.api;

import org.jspecify.annotations.Nullable;

/**
 * A response that is kept.
 *
 * @param id its id
 * @param json the {@code Response} object
 * @param input an array of its own input items, with their ids
 * @param previousId of the response that it goes on from
 */
record StoredResponse(
        String id, byte[] json, byte[] input, @Nullable String previousId) {
    /** About what it takes beside its two documents. */
    private static final int OVERHEAD = 256;

    /** What it takes in memory. */
    long bytes() {
        return (long) OVERHEAD + json.length + input.length;
    }
}
