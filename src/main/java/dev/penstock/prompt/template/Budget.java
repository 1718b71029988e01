package dev.penstock.prompt.template;

/**
 * What one rendering may use. Every operation is paid for before it is done, so that the worst template ends after about
 * a second with at most a few hundred megabytes held.
 */
final class Budget {
    /** Operations and elements; a conversation of a thousand messages takes about a hundred thousand. */
    static final long MAX_STEPS = 4_000_000;

    /** Chars of all strings made on the way; a template copies each message a handful of times. */
    static final long MAX_CHARS = 32L << 20;

    /** Nested evaluations, macro calls and data: far below what the stack holds. */
    static final int MAX_DEPTH = 400;

    private long steps;
    private long chars;
    private int depth;

    void step() {
        steps(1);
    }

    void steps(long count) {
        steps += count;
        if (steps > MAX_STEPS) {
            throw new TemplateFault("the template does not end: more than " + MAX_STEPS + " operations");
        }
    }

    /** Pays for a string that is about to be made. */
    void text(long length) {
        chars += length;
        if (chars > MAX_CHARS || length < 0) {
            throw new TemplateFault("the template makes too much text: more than " + MAX_CHARS + " characters");
        }
    }

    /** Pays for reading a string from end to end. */
    void read(String text) {
        steps(text.length() >> 4);
    }

    void enter() {
        if (++depth > MAX_DEPTH) {
            throw new TemplateFault("the template goes more than " + MAX_DEPTH + " levels deep");
        }
    }

    void leave() {
        depth--;
    }
}
