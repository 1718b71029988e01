package dev.penstock.prompt.dialogue;

import java.util.function.Consumer;

/**
 * Reads one completion as it comes. How the text is cut changes nothing but how the pieces are cut. The time is linear in the
 * text, and no more is kept than what may yet turn out to be a call. For one completion, used by one thread.
 */
public interface CompletionParser {
    /** Takes more of the completion's text and gives out what it is known to mean by now. */
    void push(String text, Consumer<Piece> out);

    /** Ends the completion: gives out what was held back. */
    void finish(Consumer<Piece> out);
}
