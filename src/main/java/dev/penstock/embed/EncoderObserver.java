package dev.penstock.embed;

/** Told what an encoder does, for metrics; called on its thread, so all must return at once. */
public interface EncoderObserver {
    /** Watches nothing. */
    EncoderObserver NONE = new EncoderObserver() {};

    /** How a request ended. */
    enum Outcome {
        /** It was answered. */
        DONE,
        /** Its caller has left. */
        CANCELLED,
        /** There was no room for it. */
        REFUSED,
        /** A run failed, or the model is gone. */
        FAILED
    }

    /**
     * A batch was run.
     *
     * @param inputs in it
     * @param tokens of them, without padding
     * @param runNs how long it took
     */
    default void batchEnded(int inputs, int tokens, long runNs) {}

    /** A request has ended, so long after it came; from any thread. */
    default void requestEnded(Outcome outcome, long totalNs) {}
}
