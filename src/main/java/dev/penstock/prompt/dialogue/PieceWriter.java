package dev.penstock.prompt.dialogue;

import java.util.function.Consumer;

/** Gathers chars to pieces: neighbours of a kind become one, and each piece goes out once it is known to be whole. */
final class PieceWriter {
    private enum Kind {
        TEXT,
        REASONING,
        ARGUMENTS
    }

    private final StringBuilder gathered = new StringBuilder();
    private Kind kind = Kind.TEXT;
    private int calls;
    private Consumer<Piece> out = piece -> {};

    /** Where pieces go from now on. */
    void to(Consumer<Piece> consumer) {
        out = consumer;
    }

    void text(CharSequence text) {
        gather(Kind.TEXT, text);
    }

    void reasoning(CharSequence text) {
        gather(Kind.REASONING, text);
    }

    void callBegins(String name) {
        flush();
        out.accept(new Piece.CallBegins(calls, name));
    }

    void arguments(CharSequence json) {
        gather(Kind.ARGUMENTS, json);
    }

    void callEnds() {
        flush();
        out.accept(new Piece.CallEnds(calls++));
    }

    /** Gives out what was gathered. */
    void flush() {
        if (gathered.isEmpty()) {
            return;
        }
        String text = gathered.toString();
        gathered.setLength(0);
        out.accept(
                switch (kind) {
                    case TEXT -> new Piece.Text(text);
                    case REASONING -> new Piece.Reasoning(text);
                    case ARGUMENTS -> new Piece.Arguments(calls, text);
                });
    }

    private void gather(Kind next, CharSequence text) {
        if (text.isEmpty()) {
            return;
        }
        if (next != kind) {
            flush();
            kind = next;
        }
        gathered.append(text);
    }
}
