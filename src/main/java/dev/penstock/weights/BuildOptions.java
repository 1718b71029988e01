package dev.penstock.weights;

/**
 * How a variant is built.
 *
 * @param threads threads that convert and quantise
 * @param contextLimit most positions that the graph is made for, where the model itself would take more
 * @param layout how quantised matrices are laid out
 * @param rounding how 4-bit codes are found
 */
public record BuildOptions(int threads, int contextLimit, WeightLayout layout, Rounding rounding) {
    /** Beyond this the rotary tables of a model with a huge context would weigh more than they are worth. */
    private static final int DEFAULT_CONTEXT_LIMIT = 131_072;

    /** With the better rounding. */
    public BuildOptions(int threads, int contextLimit, WeightLayout layout) {
        this(threads, contextLimit, layout, Rounding.SEARCH);
    }

    /** One thread for each processor, the layout that is fastest here. */
    public static BuildOptions defaults() {
        return new BuildOptions(
                Runtime.getRuntime().availableProcessors(), DEFAULT_CONTEXT_LIMIT, WeightLayout.ofThisMachine());
    }

    /** The same with another rounding. */
    public BuildOptions withRounding(Rounding other) {
        return new BuildOptions(threads, contextLimit, layout, other);
    }

    /** Checks that both are positive. */
    public BuildOptions {
        if (threads < 1 || contextLimit < 1) {
            throw new IllegalArgumentException(
                    "expected threads and contextLimit of at least 1, found " + threads + " and " + contextLimit);
        }
    }
}
