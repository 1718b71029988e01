package dev.penstock.prompt;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns a completion's tokens into text piece by piece: never half a character, never a part of what could become a
 * stop string. For one sequence, used by one thread.
 */
public final class TextStream {
    /** A stream for one completion; {@code stop} strings end it and are not part of its text. */
    public TextStream(Tokenizer tokenizer, List<String> stop) {
        throw new IllegalStateException("being written");
    }

    /** Takes the next token; returns the text that is now safe to send, possibly empty. After a stop: empty. */
    public String push(int token) {
        throw new IllegalStateException("being written");
    }

    /** The stop string that the text reached, if it did. */
    public @Nullable String stopSequence() {
        throw new IllegalStateException("being written");
    }

    /** Ends the stream; returns what was held back, incomplete characters as U+FFFD. After a stop: empty. */
    public String finish() {
        throw new IllegalStateException("being written");
    }
}
