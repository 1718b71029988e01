package dev.penstock.weights;

/**
 * How a variant is built.
 *
 * @param threads threads that convert and quantise
 * @param contextLimit most positions that the graph is made for, where the model itself would take more
 */
public record BuildOptions(int threads, int contextLimit) {
    /** Beyond this the rotary tables of a model with a huge context would weigh more than they are worth. */
    private static final int DEFAULT_CONTEXT_LIMIT = 131_072;

    /** One thread for each processor. */
    public static BuildOptions defaults() {
        return new BuildOptions(Runtime.getRuntime().availableProcessors(), DEFAULT_CONTEXT_LIMIT);
    }

    /** Checks that both are positive. */
    public BuildOptions {
        if (threads < 1 || contextLimit < 1) {
            throw new IllegalArgumentException(
                    "expected threads and contextLimit of at least 1, found " + threads + " and " + contextLimit);
        }
    }
}
