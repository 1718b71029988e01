package dev.penstock.prompt.dialogue;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How calls are found in a text.
 *
 * @param openings marks that begin calls wherever they stand
 * @param whole reads a text that is nothing but calls, for styles without a mark
 * @param marks further special tokens that readers look for
 */
record CallSyntax(List<Opening> openings, @Nullable Function<CallSink, CallReader> whole, List<String> marks) {
    /** A mark, and what reads the calls behind it. */
    record Opening(String mark, Function<CallSink, CallReader> reader) {}

    private static final String TOOL_CALL = "<tool_call>";
    private static final String END_TOOL_CALL = "</tool_call>";
    private static final Opening HERMES = new Opening(TOOL_CALL, calls -> JsonCalls.until(END_TOOL_CALL, calls));

    static CallSyntax of(ToolStyle style) {
        return switch (style) {
            case NONE -> new CallSyntax(List.of(), null, List.of());
            case INSTRUCTED, HERMES -> new CallSyntax(List.of(HERMES), null, List.of(END_TOOL_CALL));
            case GEMMA ->
                new CallSyntax(
                        List.of(
                                HERMES,
                                new Opening("```tool_code", ChosenCalls::gemma),
                                new Opening("```json", ChosenCalls::gemma)),
                        JsonCalls::row,
                        List.of(END_TOOL_CALL));
            case LLAMA_JSON ->
                new CallSyntax(List.of(new Opening("<|python_tag|>", ChosenCalls::llama)), JsonCalls::row, List.of());
            case PYTHONIC ->
                new CallSyntax(
                        List.of(
                                new Opening("<|python_tag|>", ChosenCalls::llama),
                                new Opening("<|python_start|>", PythonCalls::list),
                                new Opening("<|tool_call_start|>", PythonCalls::list)),
                        PythonCalls::list,
                        List.of());
            case MISTRAL_LIST, MISTRAL_ARGS ->
                new CallSyntax(
                        List.of(new Opening("[TOOL_CALLS]", ChosenCalls::mistral)),
                        null,
                        List.of("[ARGS]", "[CALL_ID]"));
            case QWEN_XML ->
                new CallSyntax(
                        List.of(
                                new Opening(TOOL_CALL, XmlCalls::qwen),
                                new Opening("<function=", XmlCalls::qwenFunction)),
                        null,
                        List.of(END_TOOL_CALL));
            case GLM_LINES -> new CallSyntax(List.of(), NamedCall::lines, List.of());
            case GLM_XML ->
                new CallSyntax(
                        List.of(new Opening(TOOL_CALL, XmlCalls::glm)),
                        null,
                        List.of(END_TOOL_CALL, "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"));
        };
    }

    /** The opening whose mark this is. */
    @Nullable
    Opening opening(CharSequence text) {
        for (Opening opening : openings) {
            if (opening.mark.contentEquals(text)) {
                return opening;
            }
        }
        return null;
    }

    /** Whether this may become a mark. */
    boolean isBeginningOfMark(CharSequence text) {
        for (Opening opening : openings) {
            if (CharSink.begins(opening.mark, text)) {
                return true;
            }
        }
        return false;
    }
}
