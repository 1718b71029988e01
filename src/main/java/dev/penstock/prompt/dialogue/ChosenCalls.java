package dev.penstock.prompt.dialogue;

import org.jspecify.annotations.Nullable;

/** Reads calls that families write in several forms, which their first char tells apart. */
final class ChosenCalls implements CallReader {
    private final CallSink calls;
    private final Chooser chooser;
    private @Nullable CallReader form;

    private interface Chooser {
        CallReader choose(char first, CallSink calls);
    }

    private ChosenCalls(CallSink calls, Chooser chooser) {
        this.calls = calls;
        this.chooser = chooser;
    }

    /** Behind {@code [TOOL_CALLS]}: an array of calls, objects without one, or a name and its arguments. */
    static ChosenCalls mistral(CallSink sink) {
        return new ChosenCalls(sink, (first, calls) -> switch (first) {
            case '[' -> JsonCalls.array(calls);
            case '{' -> JsonCalls.row(calls);
            default -> NamedCall.marked(calls);
        });
    }

    /** Behind {@code <|python_tag|>}: objects, a list of calls in Python, or {@code name.call(…)}. */
    static ChosenCalls llama(CallSink sink) {
        return new ChosenCalls(sink, (first, calls) -> switch (first) {
            case '[' -> PythonCalls.list(calls);
            case '{' -> JsonCalls.row(calls);
            default -> PythonCalls.row(calls);
        });
    }

    /** In a fence of Gemma: objects, or calls in Python. */
    static ChosenCalls gemma(CallSink sink) {
        return new ChosenCalls(sink, (first, calls) -> switch (first) {
            case '{' -> JsonCalls.until("```", calls);
            default -> PythonCalls.until("```", calls);
        });
    }

    @Override
    public Step take(char c) {
        if (form == null) {
            if (CharSink.isSpace(c)) {
                return Step.MORE;
            }
            form = chooser.choose(c, calls);
        }
        return form.take(c);
    }

    @Override
    public boolean rests() {
        return form != null && form.rests();
    }
}
