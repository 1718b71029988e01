package dev.penstock.prompt.dialogue;

/** A part of what a completion means, in the order in which it was written. */
public sealed interface Piece {
    /** Text for the user; the next part of it. */
    record Text(String text) implements Piece {}

    /** What the model thinks before it answers; the next part of it. */
    record Reasoning(String text) implements Piece {}

    /** A call of a tool begins; indices count from 0, and a call has ended before the next begins. */
    record CallBegins(int index, String name) implements Piece {}

    /** The next part of a call's arguments, which together are one JSON object. */
    record Arguments(int index, String json) implements Piece {}

    /** A call ends; its arguments are whole unless the completion was cut or the model spoiled them. */
    record CallEnds(int index) implements Piece {}
}
