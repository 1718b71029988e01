package dev.penstock.prompt.dialogue;

import org.jspecify.annotations.Nullable;

/** Where readers tell of calls. What was read until then is settled, and never given back as text. */
interface CallSink {
    /** The tool of that name, if it may be called. */
    @Nullable
    Tool tool(String name);

    /** Whether a name of a tool begins so. */
    boolean isBeginningOfName(CharSequence text);

    /** A call begins. */
    void begin(Tool tool);

    /** The next part of its arguments. */
    void arguments(CharSequence json);

    /** It ends. */
    void end();
}
