package dev.penstock.weights;

/**
 * How a variant is built.
 *
 * @param threads threads that convert and quantise
 * @param contextLimit most positions that the graph is made for, where the model itself would take more
 * @param layout how quantised matrices are laid out
 */
public record BuildOptions(int threads, int contextLimit, WeightLayout layout) {
    /** Beyond this the rotary tables of a model with a huge context would weigh more than they are worth. */
    private static final int DEFAULT_CONTEXT_LIMIT = 131_072;

    /** One thread for each processor, the layout that is fastest here. */
    public static BuildOptions defaults() {
        return new BuildOptions(
                Runtime.getRuntime().availableProcessors(), DEFAULT_CONTEXT_LIMIT, WeightLayout.ofThisMachine());
    }

    /** Checks that both are positive. */
    public BuildOptions {
        if (threads < 1 || contextLimit < 1) {
            throw new IllegalArgumentException(
                    "expected threads and contextLimit of at least 1, found " + threads + " and " + contextLimit);
        }
    }
}
