package dev.penstock.api;

import dev.penstock.prompt.dialogue.Piece;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** What one choice says, as it grows: text, reasoning, and calls of tools. For one thread. */
final class AssistantMessage {
    private final Supplier<String> callIds;
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder reasoning = new StringBuilder();
    private final List<Call> calls = new ArrayList<>();

    /**
     * Nothing yet.
     *
     * @param callIds gives each call its id
     */
    AssistantMessage(Supplier<String> callIds) {
        this.callIds = callIds;
    }

    /** One call of a tool. */
    static final class Call {
        private final String id;
        private final String name;
        private final StringBuilder arguments = new StringBuilder();

        private Call(String id, String name) {
            this.id = id;
            this.name = name;
        }

        String id() {
            return id;
        }

        String name() {
            return name;
        }

        /** JSON text, as far as it was made. */
        String arguments() {
            return arguments.toString();
        }
    }

    /** Adds what has come. */
    void add(Piece piece) {
        switch (piece) {
            case Piece.Text(String more) -> text.append(more);
            case Piece.Reasoning(String more) -> reasoning.append(more);
            case Piece.CallBegins(int index, String name) -> calls.add(index, new Call(callIds.get(), name));
            case Piece.Arguments(int index, String json) ->
                calls.get(index).arguments.append(json);
            case Piece.CallEnds end -> {}
        }
    }

    String text() {
        return text.toString();
    }

    String reasoning() {
        return reasoning.toString();
    }

    List<Call> calls() {
        return calls;
    }
}
