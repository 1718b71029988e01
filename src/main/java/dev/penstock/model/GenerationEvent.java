package dev.penstock.model;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What happens to a generation, in order: {@link PromptScored} if that was asked for, any number of {@link Delta}, then exactly
 * one {@link Finished} or {@link Failed}.
 */
public sealed interface GenerationEvent {

    /**
     * What the model thinks of the prompt, where the request asked for it.
     *
     * @param logprobs one entry for each token of the prompt but the first, which nothing comes before
     */
    record PromptScored(List<TokenLogprob> logprobs) implements GenerationEvent {}

    /**
     * More of the completion. An end-of-sequence or stop token that ends it is in no delta; {@link Usage} counts it.
     *
     * @param text whole characters, nothing that could still turn out to be a stop string; may be empty while tokens
     *     are held back
     * @param tokens tokens that were sampled since the last event
     * @param logprobs one entry for each of these tokens where the request asked for them, else empty. It comes with its
     *     token, which may be before the token's text, and also where a stop string cuts that text off
     */
    record Delta(String text, int tokens, List<TokenLogprob> logprobs) implements GenerationEvent {}

    /**
     * The end of a generation that did not fail.
     *
     * @param reason why it ended
     * @param stopSequence the stop string that the text reached, if one did
     * @param usage tokens taken
     */
    record Finished(FinishReason reason, @Nullable String stopSequence, Usage usage) implements GenerationEvent {}

    /**
     * The end of a generation that could not go on.
     *
     * @param cause what kind of failure, which decides the status code
     * @param message what was wrong, for the caller
     */
    record Failed(Cause cause, String message) implements GenerationEvent {}

    /** The kinds of failure. */
    enum Cause {
        /** The request can't be served by this model whatever the load: the caller must change it. */
        INVALID,
        /** No room at present: the caller may try again. */
        OVERLOADED,
        /** The server is going down: the caller may try again elsewhere or later. */
        SHUTTING_DOWN,
        /** A step failed. */
        INTERNAL
    }
}
