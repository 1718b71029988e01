package dev.penstock.prompt.constraint;

import org.jspecify.annotations.Nullable;

/** What is left of a sequence of symbols: the next one, and what comes after it. Equal ones of an automaton are one object. */
final class Item {
    /** Nothing is left. */
    static final Item NIL = new Item(null, null, 0, 0);

    private final @Nullable Symbol head;
    private final @Nullable Item tail;
    private final int minBytes;
    private final int id;

    private Item(@Nullable Symbol head, @Nullable Item tail, int minBytes, int id) {
        this.head = head;
        this.tail = tail;
        this.minBytes = minBytes;
        this.id = id;
    }

    /** A symbol before others. */
    static Item of(Symbol head, Item tail, int minBytes, int id) {
        return new Item(head, tail, minBytes, id);
    }

    /** The next symbol; null if nothing is left. */
    @Nullable
    Symbol head() {
        return head;
    }

    /** What comes after it. */
    Item tail() {
        if (tail == null) {
            throw new IllegalStateException("nothing is left");
        }
        return tail;
    }

    /** Bytes of its shortest string. */
    int minBytes() {
        return minBytes;
    }

    int id() {
        return id;
    }
}
