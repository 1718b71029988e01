package dev.penstock.engine;

import dev.penstock.model.Usage;
import java.util.OptionalLong;

/**
 * Told what a step loop does, for metrics; called on the loop's thread, so it must return at once, and for requests that
 * are refused on the thread that submits them. What it throws is logged and dropped.
 */
public interface EngineObserver {
    /** Watches nothing. */
    EngineObserver NONE = new EngineObserver() {};

    /** A step ended; the loop's {@link StepLoop#stats() stats} are up to date. */
    default void stepEnded(StepSummary step) {}

    /**
     * A sequence's first token is there.
     *
     * @param queueNs from its submission until it first had a place in the batch
     * @param ttftNs from its submission until now
     */
    default void firstToken(long queueNs, long ttftNs) {}

    /** A sequence came to its end, whatever end; called before its listener is. */
    default void sequenceEnded(SequenceSummary sequence) {}

    /**
     * One step.
     *
     * @param scheduleNs time to choose and lay out its tokens
     * @param runNs time in the model runner
     * @param publishNs time to sample and to tell listeners
     * @param decodeTokens tokens of decoding sequences, drafts counted in
     * @param promptTokens prompt tokens, and tokens that are computed again after a preemption
     * @param promptContext mean number of tokens that a prompt token looks back on; 0 without any
     * @param sequences sequences in it
     * @param kvTokens tokens of theirs that the KV cache held before it
     * @param preemptions sequences that lost their blocks for it
     * @param failed whether the runner failed
     */
    record StepSummary(
            long scheduleNs,
            long runNs,
            long publishNs,
            int decodeTokens,
            int promptTokens,
            double promptContext,
            int sequences,
            long kvTokens,
            int preemptions,
            boolean failed) {}

    /**
     * A sequence at its end.
     *
     * @param outcome how it ended
     * @param usage its tokens
     * @param totalNs from its submission until now
     * @param ttftNs from its submission to its first token, if it had one
     */
    record SequenceSummary(Outcome outcome, Usage usage, long totalNs, OptionalLong ttftNs) {
        /** Mean time between its tokens (TPOT) in nanoseconds; empty with fewer than two of them. */
        public OptionalLong tpotNs() {
            if (ttftNs.isEmpty() || usage.completionTokens() < 2) {
                return OptionalLong.empty();
            }
            return OptionalLong.of((totalNs - ttftNs.getAsLong()) / (usage.completionTokens() - 1));
        }
    }

    /** How a sequence ended, in few values. */
    enum Outcome {
        /** An end-of-sequence token, a stop token or a stop string. */
        STOP,
        /** Its token limit or the context length. */
        LENGTH,
        /** Cancelled by its caller. */
        CANCELLED,
        /** Refused at submission: it can't be served whatever the load. */
        INVALID,
        /** Refused at submission: no room. */
        OVERLOADED,
        /** Refused or cut because the loop goes down. */
        SHUTTING_DOWN,
        /** A step or its sampling failed. */
        FAILED
    }
}
