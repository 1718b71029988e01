package dev.penstock.prompt.dialogue;

import org.jspecify.annotations.Nullable;

/** Reads calls that are JSON objects: one or several, in a list or not, up to a mark or to where something else comes. */
final class JsonCalls implements CallReader {
    private enum State {
        BEFORE,
        FIRST,
        ITEM,
        BETWEEN,
        MARK
    }

    private final CallSink calls;
    private final String open;
    private final char separator;
    private final String close;

    private State state = State.BEFORE;
    private @Nullable JsonCall item;
    /** Chars of {@code close} that have come. */
    private int matched;

    private JsonCalls(CallSink calls, String open, char separator, String close) {
        this.calls = calls;
        this.open = open;
        this.separator = separator;
        this.close = close;
    }

    /** Calls up to a mark that ends them. */
    static JsonCalls until(String close, CallSink calls) {
        return new JsonCalls(calls, "", '\n', close);
    }

    /** Calls with semicolons between them; whatever else comes ends them. */
    static JsonCalls row(CallSink calls) {
        return new JsonCalls(calls, "", ';', "");
    }

    /** Calls in a JSON array. */
    static JsonCalls array(CallSink calls) {
        return new JsonCalls(calls, "[", ',', "]");
    }

    @Override
    public Step take(char c) {
        if (state == State.ITEM) {
            return item(c);
        }
        if (state == State.MARK) {
            return mark(c);
        }
        if (CharSink.isSpace(c)) {
            return Step.MORE;
        }
        if (state == State.BEFORE && !open.isEmpty()) {
            return c == open.charAt(0) ? next(State.FIRST) : Step.BROKEN;
        }
        if (c == '{') {
            item = new JsonCall(calls);
            state = State.ITEM;
            return item(c);
        }
        if (state != State.BETWEEN) {
            return Step.BROKEN;
        }
        // Models often close a brace too many.
        if (c == separator || c == '}') {
            return Step.MORE;
        }
        return close.isEmpty() ? Step.OVER : mark(c);
    }

    @Override
    public boolean rests() {
        return item != null && item.rests();
    }

    private Step item(char c) {
        JsonCall reader = item;
        if (reader == null) {
            throw new IllegalStateException("no call was begun");
        }
        Step step = reader.take(c);
        return step == Step.DONE ? next(State.BETWEEN) : step;
    }

    private Step mark(char c) {
        if (c != close.charAt(matched)) {
            return matched == 0 ? Step.OVER : Step.BROKEN;
        }
        state = State.MARK;
        return ++matched == close.length() ? Step.DONE : Step.MORE;
    }

    private Step next(State after) {
        state = after;
        return Step.MORE;
    }
}
