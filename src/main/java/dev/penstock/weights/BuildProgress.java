package dev.penstock.weights;

/** Hears how far a build is; called from several threads, so it must be safe for them, and return at once. */
public interface BuildProgress extends AutoCloseable {
    /** Says nothing. */
    BuildProgress NONE = new BuildProgress() {
        @Override
        public void start(String phase, long bytes) {}

        @Override
        public void advance(long bytes) {}

        @Override
        public void close() {}
    };

    /**
     * A phase begins; the one before, if any, is over.
     *
     * @param phase what is done, for people: {@code Quantising to int4}
     * @param bytes how much there is to do
     */
    void start(String phase, long bytes);

    /** That many more bytes of the phase are done. */
    void advance(long bytes);

    /** The build is over, well or not. */
    @Override
    void close();
}
