package dev.penstock.prompt.dialogue;

import org.jspecify.annotations.Nullable;

/**
 * Reads one call that is written in tags, as Qwen3-Coder and GLM-4.5 do. An argument is told of when it is whole, as JSON:
 * as {@link ArgumentValue} makes it of the raw text.
 */
final class XmlCalls implements CallReader {
    private static final int MAX_TAG = 256;

    private enum State {
        /** Between tags. */
        GAP,
        TAG,
        /** GLM's name, which has no tag. */
        NAME,
        KEY,
        VALUE
    }

    private final CallSink calls;
    private final boolean glm;
    /** Whether a mark came before that must end the call. */
    private final boolean marked;

    private final StringBuilder read = new StringBuilder();
    private State state;
    private @Nullable Tool tool;
    private @Nullable String key;
    private boolean firstArgument = true;
    private boolean ended;

    private XmlCalls(CallSink calls, boolean glm, boolean marked, State state) {
        this.calls = calls;
        this.glm = glm;
        this.marked = marked;
        this.state = state;
    }

    /** {@code <function=name><parameter=key>value</parameter></function></tool_call>}. */
    static XmlCalls qwen(CallSink calls) {
        return new XmlCalls(calls, false, true, State.GAP);
    }

    /** The same where {@code <tool_call>} was left out, behind {@code <function=}. */
    static XmlCalls qwenFunction(CallSink calls) {
        XmlCalls reader = new XmlCalls(calls, false, false, State.TAG);
        reader.read.append("<function=");
        return reader;
    }

    /** {@code name<arg_key>key</arg_key><arg_value>value</arg_value></tool_call>}. */
    static XmlCalls glm(CallSink calls) {
        return new XmlCalls(calls, true, true, State.NAME);
    }

    @Override
    public Step take(char c) {
        return switch (state) {
            case GAP -> gap(c);
            case TAG -> tag(c);
            case NAME -> name(c);
            case KEY -> until("</arg_key>", c);
            case VALUE -> until(glm ? "</arg_value>" : "</parameter>", c);
        };
    }

    @Override
    public boolean rests() {
        return ended;
    }

    private Step gap(char c) {
        if (CharSink.isSpace(c)) {
            return Step.MORE;
        }
        if (c != '<') {
            return ended ? Step.OVER : Step.BROKEN;
        }
        state = State.TAG;
        return tag(c);
    }

    private Step name(char c) {
        if (c != '<' && c != '\n') {
            read.append(c);
            return read.length() > MAX_TAG ? Step.BROKEN : Step.MORE;
        }
        String name = read.toString().strip();
        if (name.isEmpty() && c == '\n') {
            return Step.MORE;
        }
        read.setLength(0);
        if (!begin(name)) {
            return Step.BROKEN;
        }
        state = State.GAP;
        return c == '<' ? gap(c) : Step.MORE;
    }

    private Step tag(char c) {
        read.append(c);
        if (c != '>') {
            return read.length() > MAX_TAG ? Step.BROKEN : Step.MORE;
        }
        String tag = read.toString();
        read.setLength(0);
        state = State.GAP;
        return tag.equals("</tool_call>") ? close() : glm ? glmTag(tag) : qwenTag(tag);
    }

    private Step qwenTag(String tag) {
        if (tag.startsWith("<function=")) {
            return tool == null && begin(value(tag)) ? Step.MORE : Step.BROKEN;
        }
        if (tool == null || ended) {
            return Step.BROKEN;
        }
        if (tag.equals("</function>")) {
            end();
            return marked ? Step.MORE : Step.DONE;
        }
        if (!tag.startsWith("<parameter=")) {
            return Step.BROKEN;
        }
        key = value(tag);
        state = State.VALUE;
        return Step.MORE;
    }

    private Step glmTag(String tag) {
        switch (tag) {
            case "<arg_key>" -> state = State.KEY;
            case "<arg_value>" -> {
                if (key == null) {
                    return Step.BROKEN;
                }
                state = State.VALUE;
            }
            default -> {
                return Step.BROKEN;
            }
        }
        return Step.MORE;
    }

    /** What stands behind the equals sign. */
    private static String value(String tag) {
        return tag.substring(tag.indexOf('=') + 1, tag.length() - 1).strip();
    }

    private Step until(String end, char c) {
        read.append(c);
        int length = read.length() - end.length();
        if (c != '>' || length < 0 || read.indexOf(end, length) < 0) {
            return Step.MORE;
        }
        String text = read.substring(0, length);
        read.setLength(0);
        if (state == State.KEY) {
            key = text.strip();
        } else {
            argument(glm ? text : unlined(text));
        }
        state = State.GAP;
        return Step.MORE;
    }

    /** A value stands on lines of its own. */
    private static String unlined(String text) {
        int begin = text.startsWith("\n") ? 1 : 0;
        int end = text.endsWith("\n") && text.length() > begin ? text.length() - 1 : text.length();
        return text.substring(begin, end);
    }

    private boolean begin(String name) {
        tool = calls.tool(name);
        if (tool == null) {
            return false;
        }
        calls.begin(tool);
        calls.arguments("{");
        return true;
    }

    private void argument(String raw) {
        if (tool == null || key == null) {
            throw new IllegalStateException("a value without a call or a key");
        }
        String json = ArgumentValue.of(tool, key).json(raw);
        calls.arguments((firstArgument ? "" : ", ") + PythonLiteral.quoted(key) + ": " + json);
        firstArgument = false;
        key = null;
    }

    private Step close() {
        if (tool == null) {
            return Step.BROKEN;
        }
        if (!ended) {
            end();
        }
        return Step.DONE;
    }

    private void end() {
        calls.arguments("}");
        calls.end();
        ended = true;
    }
}
