package dev.penstock.prompt.dialogue;

import org.jspecify.annotations.Nullable;

/** Reads calls that are a name, a mark or the line's end, and the arguments as JSON. */
final class NamedCall implements CallReader {
    private static final int MAX_NAME = 200;

    private enum State {
        BEFORE,
        NAME,
        GAP,
        ARGUMENTS
    }

    private final CallSink calls;
    private final boolean lines;
    private final StringBuilder name = new StringBuilder();
    private JsonScanner scanner = new JsonScanner();
    private State state = State.BEFORE;
    private @Nullable Tool tool;
    private boolean ended;

    private NamedCall(CallSink calls, boolean lines) {
        this.calls = calls;
        this.lines = lines;
    }

    /** One call {@code name[ARGS]{…}}, also without the mark, and with a call's id before it: {@code name[CALL_ID]id[ARGS]{…}}. */
    static NamedCall marked(CallSink calls) {
        return new NamedCall(calls, false);
    }

    /** Calls one after the other, each with its name on a line of its own. */
    static NamedCall lines(CallSink calls) {
        return new NamedCall(calls, true);
    }

    @Override
    public Step take(char c) {
        return switch (state) {
            case BEFORE -> {
                if (CharSink.isSpace(c)) {
                    yield Step.MORE;
                }
                state = State.NAME;
                yield name(c);
            }
            case NAME -> name(c);
            case GAP -> CharSink.isSpace(c) ? Step.MORE : c == '{' ? argumentsBegin() : Step.BROKEN;
            case ARGUMENTS -> arguments(c);
        };
    }

    @Override
    public boolean rests() {
        return ended && state == State.BEFORE;
    }

    private Step name(char c) {
        if (c == (lines ? '\n' : '{')) {
            tool = calls.tool(lines ? name.toString().stripTrailing() : marked(name.toString()));
            if (tool == null) {
                return Step.BROKEN;
            }
            state = State.GAP;
            return lines ? Step.MORE : argumentsBegin();
        }
        name.append(c);
        boolean fits = lines ? c == '\r' || calls.isBeginningOfName(name) : name.length() <= MAX_NAME;
        return fits ? Step.MORE : Step.BROKEN;
    }

    private static String marked(String text) {
        int end = text.indexOf("[ARGS]");
        int id = text.indexOf("[CALL_ID]");
        String name = text.substring(0, id >= 0 ? id : end >= 0 ? end : text.length());
        return name.strip();
    }

    private Step argumentsBegin() {
        if (tool == null) {
            throw new IllegalStateException("no tool was named");
        }
        calls.begin(tool);
        state = State.ARGUMENTS;
        return arguments('{');
    }

    private Step arguments(char c) {
        String written = scanner.escaped(c);
        Step step = scanner.take(c);
        if (step != Step.BROKEN) {
            calls.arguments(written);
        }
        if (step != Step.DONE) {
            return step;
        }
        calls.end();
        if (!lines) {
            return Step.DONE;
        }
        ended = true;
        name.setLength(0);
        scanner = new JsonScanner();
        state = State.BEFORE;
        return Step.MORE;
    }
}
