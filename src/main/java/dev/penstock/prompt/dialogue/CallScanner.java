package dev.penstock.prompt.dialogue;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Tells calls from text. Text goes out at once, but for what may become a mark, and white space, which is dropped before a
 * call and at the end behind one. What was read as a call and isn't one is given back as text.
 */
final class CallScanner implements CharSink, CallSink {
    private final CallSyntax syntax;
    private final List<Tool> tools;
    private final PieceWriter out;

    /** White space behind the text that went out. */
    private final StringBuilder space = new StringBuilder();
    /** What may become a mark. */
    private final StringBuilder partial = new StringBuilder();
    /** What was read as calls since the last thing that was told of, the mark before it included. */
    private final StringBuilder held = new StringBuilder();

    private @Nullable CallReader reader;
    /** Chars of {@code held} that are the mark. */
    private int markLength;

    private boolean inCall;
    private boolean atBeginning = true;
    private boolean behindCall;

    CallScanner(CallSyntax syntax, List<Tool> tools, PieceWriter out) {
        this.syntax = syntax;
        this.tools = tools;
        this.out = out;
    }

    @Override
    public void accept(char c) {
        if (reader != null) {
            read(reader, c);
            return;
        }
        if (partial.isEmpty()) {
            if (CharSink.isSpace(c)) {
                space.append(c);
                return;
            }
            if (atBeginning) {
                atBeginning = false;
                if (syntax.whole() != null) {
                    markLength = 0;
                    reader = syntax.whole().apply(this);
                    read(reader, c);
                    return;
                }
            }
        }
        partial.append(c);
        while (!partial.isEmpty() && !syntax.isBeginningOfMark(partial)) {
            char first = partial.charAt(0);
            partial.deleteCharAt(0);
            text(first);
        }
        CallSyntax.Opening opening = syntax.opening(partial);
        if (opening != null) {
            held.append(partial);
            markLength = partial.length();
            partial.setLength(0);
            reader = opening.reader().apply(this);
        }
    }

    @Override
    public void finish() {
        CallReader last = reader;
        if (last != null) {
            boolean whole = !inCall && last.rests();
            if (inCall) {
                String rest = held.toString();
                end();
                held.append(rest);
            }
            if (!whole && !held.isEmpty()) {
                release(space);
                release(held);
            }
            return;
        }
        if (!partial.isEmpty() || !behindCall) {
            release(space);
            release(partial);
        }
    }

    @Override
    public @Nullable Tool tool(String name) {
        for (Tool tool : tools) {
            if (tool.name().equals(name)) {
                return tool;
            }
        }
        return null;
    }

    @Override
    public boolean isBeginningOfName(CharSequence text) {
        for (Tool tool : tools) {
            if (CharSink.begins(tool.name(), text)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void begin(Tool tool) {
        space.setLength(0);
        inCall = true;
        settle();
        out.callBegins(tool.name());
    }

    @Override
    public void arguments(CharSequence json) {
        settle();
        out.arguments(json);
    }

    @Override
    public void end() {
        settle();
        inCall = false;
        behindCall = true;
        out.callEnds();
    }

    private void settle() {
        held.setLength(0);
        markLength = 0;
    }

    private void read(CallReader current, char c) {
        held.append(c);
        switch (current.take(c)) {
            case MORE -> {}
            case DONE -> close();
            case OVER -> {
                close();
                accept(c);
            }
            case BROKEN -> giveBack(c);
        }
    }

    private void close() {
        reader = null;
        settle();
    }

    /** What is read is no call: goes on behind the mark as if that were text, or where the char came that spoils the call. */
    private void giveBack(char c) {
        String text = held.substring(0, held.length() - 1);
        int plain = markLength;
        if (inCall) {
            // The argument that is spoilt may be long, and is not searched again: that bounds the time.
            plain = text.length();
            end();
        }
        close();
        for (int i = 0; i < plain; i++) {
            text(text.charAt(i));
        }
        acceptAll(text.substring(plain));
        accept(c);
    }

    private void text(char c) {
        if (CharSink.isSpace(c)) {
            space.append(c);
            return;
        }
        release(space);
        out.text(String.valueOf(c));
        behindCall = false;
    }

    private void release(StringBuilder text) {
        out.text(text);
        text.setLength(0);
    }
}
