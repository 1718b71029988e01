package dev.penstock.prompt.dialogue;

import org.jspecify.annotations.Nullable;

/**
 * Reads calls as Python writes them, with keyword arguments: {@code name(key=value, …)}. An argument is told of when it
 * is whole, as JSON.
 */
final class PythonCalls implements CallReader {
    private static final int MAX_NAME = 128;

    private enum State {
        BEFORE,
        FIRST,
        NAME,
        KEY,
        VALUE,
        AFTER,
        MARK
    }

    private final CallSink calls;
    private final String open;
    private final String separators;
    private final String close;
    private State state;

    /** The name, the key or the value that is read. */
    private final StringBuilder read = new StringBuilder();

    /** The tool of a call that hasn't begun yet. */
    private @Nullable Tool tool;

    private String key = "";
    private boolean firstArgument;
    /** Brackets that are open in the value. */
    private int depth;
    /** The quote that ends the string that is read, or 0. */
    private char quote;

    private boolean escaped;
    private boolean wrapped;
    private int matched;

    private PythonCalls(CallSink calls, String open, String separators, String close) {
        this.calls = calls;
        this.open = open;
        this.separators = separators;
        this.close = close;
        state = open.isEmpty() ? State.FIRST : State.BEFORE;
    }

    /** Calls in a list. */
    static PythonCalls list(CallSink calls) {
        return new PythonCalls(calls, "[", ",", "]");
    }

    /** Calls with semicolons between them, as Llama calls its own tools; whatever else comes ends them. */
    static PythonCalls row(CallSink calls) {
        return new PythonCalls(calls, "", ";", "");
    }

    /** Calls on lines, up to a mark. */
    static PythonCalls until(String close, CallSink calls) {
        return new PythonCalls(calls, "", ";", close);
    }

    @Override
    public Step take(char c) {
        switch (state) {
            case NAME -> {
                return name(c);
            }
            case KEY -> {
                return key(c);
            }
            case VALUE -> {
                return value(c);
            }
            case MARK -> {
                return mark(c);
            }
            default -> {
                return CharSink.isSpace(c) ? Step.MORE : between(c);
            }
        }
    }

    @Override
    public boolean rests() {
        return state == State.AFTER || state == State.MARK;
    }

    private Step between(char c) {
        if (state == State.BEFORE) {
            return c == open.charAt(0) ? next(State.FIRST) : Step.BROKEN;
        }
        if (Character.isLetter(c) || c == '_') {
            state = State.NAME;
            return name(c);
        }
        if (state == State.FIRST) {
            return Step.BROKEN;
        }
        if (wrapped && c == ')') {
            wrapped = false;
            return Step.MORE;
        }
        if (separators.indexOf(c) >= 0) {
            return Step.MORE;
        }
        return close.isEmpty() ? Step.OVER : mark(c);
    }

    private Step name(char c) {
        if (c != '(') {
            read.append(c);
            boolean fits = Character.isLetterOrDigit(c) || "_-.".indexOf(c) >= 0;
            return fits && read.length() <= MAX_NAME ? Step.MORE : Step.BROKEN;
        }
        String name = read.toString();
        if (name.equals("print") && !wrapped && calls.tool(name) == null) {
            wrapped = true;
            read.setLength(0);
            return next(State.FIRST);
        }
        tool = tool(name);
        read.setLength(0);
        return tool == null ? Step.BROKEN : next(State.KEY);
    }

    /** A tool by its name, which may stand behind a module or before Llama's {@code .call}. */
    private @Nullable Tool tool(String name) {
        Tool found = calls.tool(name);
        if (found == null && name.endsWith(".call")) {
            found = calls.tool(name.substring(0, name.length() - ".call".length()));
        }
        return found == null ? calls.tool(name.substring(name.lastIndexOf('.') + 1)) : found;
    }

    private Step key(char c) {
        if (CharSink.isSpace(c)) {
            return Step.MORE;
        }
        if (c == ')' && read.isEmpty()) {
            begin();
            return callEnds();
        }
        if (c == '=' && !read.isEmpty()) {
            begin();
            key = read.toString();
            read.setLength(0);
            return next(State.VALUE);
        }
        read.append(c);
        return Character.isJavaIdentifierPart(c) && read.length() <= MAX_NAME ? Step.MORE : Step.BROKEN;
    }

    /** A call begins only where it is known to have no arguments, or one by its name. */
    private void begin() {
        if (tool != null) {
            calls.begin(tool);
            calls.arguments("{");
            tool = null;
            firstArgument = true;
        }
    }

    private Step value(char c) {
        if (quote != 0) {
            if (c == quote && !escaped) {
                quote = 0;
            }
            escaped = c == '\\' && !escaped;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == '(' || c == '[' || c == '{') {
            depth++;
        } else if (depth > 0) {
            depth -= c == ')' || c == ']' || c == '}' ? 1 : 0;
        } else if (c == ',' || c == ')') {
            return argument(c);
        }
        read.append(c);
        return Step.MORE;
    }

    private Step argument(char end) {
        String json = PythonLiteral.toJson(read.toString());
        if (json == null) {
            return Step.BROKEN;
        }
        read.setLength(0);
        calls.arguments((firstArgument ? "" : ", ") + PythonLiteral.quoted(key) + ": " + json);
        firstArgument = false;
        return end == ')' ? callEnds() : next(State.KEY);
    }

    private Step callEnds() {
        calls.arguments("}");
        calls.end();
        return next(State.AFTER);
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
