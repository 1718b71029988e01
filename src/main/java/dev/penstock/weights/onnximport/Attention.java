package dev.penstock.weights.onnximport;

import java.util.List;
import java.util.Optional;

/**
 * Causal attention with a cache, whichever operator it was written with.
 *
 * @param node number of the node in whose place the paged one goes
 * @param output the value that it makes, laid out as the query is
 * @param inputs query, key and value; or one, the packed rows [1, T, (heads + 2 * kvHeads) * headSize]
 * @param cache the names of the graph's inputs that were its cache
 * @param heads query heads
 * @param kvHeads key and value heads
 * @param headSize width of a head
 * @param scale factor of the dot products, 0 for one over the root of the head size
 * @param softcap c of {@code c * tanh(score / c)}, 0 for none
 * @param window tokens that a query sees, itself included; empty for all
 * @param rotary tables for queries and keys that are not rotated yet
 */
record Attention(
        int node,
        String output,
        List<Heads> inputs,
        Cache cache,
        int heads,
        int kvHeads,
        int headSize,
        float scale,
        float softcap,
        Optional<Integer> window,
        Optional<Rotary> rotary) {

    /** Copies the list. */
    Attention {
        inputs = List.copyOf(inputs);
    }

    /**
     * The inputs of the graph that bring what came before.
     *
     * @param key [batch, kvHeads, past, headSize]
     * @param value likewise
     */
    record Cache(String key, String value) {}

    /**
     * Tables [context, width / 2].
     *
     * @param cos name of the constant with the cosines
     * @param sin of the sines
     * @param interleaved whether neighbours form a pair
     */
    record Rotary(String cos, String sin, boolean interleaved) {}
}
