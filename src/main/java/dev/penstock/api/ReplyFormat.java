package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.penstock.model.TokenLogprob;
import dev.penstock.model.WireRequest.Endpoint;
import java.io.IOException;
import java.util.List;

/** What the replies of an endpoint look like where those of the other look different. */
sealed interface ReplyFormat permits ChatFormat, CompletionFormat {
    /** That of an endpoint. */
    static ReplyFormat of(Endpoint endpoint) {
        return switch (endpoint) {
            case CHAT -> new ChatFormat();
            case COMPLETIONS -> new CompletionFormat();
            case EMBEDDINGS, RERANK -> throw new IllegalArgumentException(endpoint + " generates nothing");
        };
    }

    /** The value of {@code object} in a plain reply. */
    String replyObject();

    /** The value of {@code object} in a chunk. */
    String chunkObject();

    /** Writes the field of a choice that holds its whole text. */
    void whole(JsonGenerator json, String text) throws IOException;

    /** Whether a chunk goes before a choice's first text. */
    boolean hasOpening();

    /** Writes the field of a choice before its first text. */
    void opening(JsonGenerator json) throws IOException;

    /** Writes the field of a choice that holds more text. */
    void text(JsonGenerator json, String text) throws IOException;

    /** Writes the field of a choice that has ended. */
    void closing(JsonGenerator json) throws IOException;

    /**
     * Writes the object that is called {@code logprobs}.
     *
     * @param textOffset characters of the choice's text before the first of these tokens
     */
    void logprobs(JsonGenerator json, List<TokenLogprob> logprobs, int textOffset) throws IOException;

    /** A log probability as JSON can hold it: the contract writes -9999 for 'very unlikely'. */
    static float finite(float logprob) {
        return Float.isNaN(logprob) ? -9999f : Math.max(-9999f, logprob);
    }
}
