package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.penstock.model.TokenLogprob;
import dev.penstock.prompt.dialogue.Piece;
import java.io.IOException;
import java.util.List;

/** What choices look like in chats where they look different in completions, and the other way round. */
sealed interface ReplyFormat permits ChatFormat, CompletionFormat {
    /** The value of {@code object} in a plain reply. */
    String replyObject();

    /** The value of {@code object} in a chunk. */
    String chunkObject();

    /** Writes the field of a choice that holds all of it. */
    void whole(JsonGenerator json, String echo, AssistantMessage message) throws IOException;

    /** Whether a chunk goes before a choice's first piece. */
    boolean hasOpening();

    /** Writes the field of a choice before its first piece. */
    void opening(JsonGenerator json) throws IOException;

    /** Whether a piece of this kind is worth a chunk. */
    boolean shows(Piece piece);

    /** Writes the field of a choice that holds one more piece, which is in the message already. */
    void piece(JsonGenerator json, Piece piece, AssistantMessage message) throws IOException;

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
