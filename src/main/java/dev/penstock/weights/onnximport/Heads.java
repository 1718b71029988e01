package dev.penstock.weights.onnximport;

/**
 * Queries, keys or values of an attention node.
 *
 * @param value the tensor's name
 * @param layout its dimensions
 */
record Heads(String value, Layout layout) {
    /** Dimensions in a graph whose batch is one row of T packed tokens. */
    enum Layout {
        /** {@code [1, T, heads * headSize]}. */
        TOKENS_FIRST,
        /** {@code [1, heads, T, headSize]}. */
        HEADS_FIRST
    }

    /** [1, T, heads * headSize]. */
    static Heads tokensFirst(String value) {
        return new Heads(value, Layout.TOKENS_FIRST);
    }

    /** [1, heads, T, headSize]. */
    static Heads headsFirst(String value) {
        return new Heads(value, Layout.HEADS_FIRST);
    }
}
