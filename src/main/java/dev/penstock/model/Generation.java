package dev.penstock.model;

/** A generation under way. */
public interface Generation {
    /**
     * Asks for its end: its place and blocks are free within one step. May be called from any thread, more than once,
     * and after the end. The listener gets {@link GenerationEvent.Finished} with {@link FinishReason#CANCELLED} unless
     * the generation had come to its end already.
     */
    void cancel();
}
