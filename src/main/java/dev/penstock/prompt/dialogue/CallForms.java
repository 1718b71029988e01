package dev.penstock.prompt.dialogue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.penstock.prompt.constraint.OutputForm;
import dev.penstock.prompt.constraint.OutputForm.Choice;
import dev.penstock.prompt.constraint.OutputForm.Json;
import dev.penstock.prompt.constraint.OutputForm.Literal;
import dev.penstock.prompt.constraint.OutputForm.Regex;
import dev.penstock.prompt.constraint.OutputForm.Repeat;
import dev.penstock.prompt.constraint.OutputForm.Sequence;
import dev.penstock.prompt.constraint.OutputForm.Special;
import dev.penstock.prompt.constraint.OutputForm.TextWithout;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The forms of completions with calls: what {@link CompletionParser} reads as calls, and nothing else. */
final class CallForms {
    private static final String TOOL_CALL = "<tool_call>";
    private static final String END_TOOL_CALL = "</tool_call>";
    private static final String TOOL_CALLS = "[TOOL_CALLS]";

    private final ToolStyle style;
    private final Set<String> specialMarks;

    CallForms(ToolStyle style, Set<String> specialMarks) {
        this.style = style;
        this.specialMarks = specialMarks;
    }

    /** One call, or several where {@code parallel}. */
    OutputForm calls(List<Tool> tools, boolean parallel) {
        if (tools.isEmpty()) {
            throw new IllegalArgumentException("there is no tool to call");
        }
        OutputForm call = choice(tools.stream().map(this::call).toList());
        return switch (style) {
            case NONE -> throw new IllegalArgumentException("the model calls no tools");
            case INSTRUCTED, GEMMA, HERMES, QWEN_XML, GLM_XML, GLM_LINES -> row(call, "\n", parallel);
            case LLAMA_JSON -> row(call, "; ", parallel);
            case PYTHONIC -> sequence(literal("["), row(call, ", ", parallel), literal("]"));
            case MISTRAL_LIST ->
                sequence(
                        mark(TOOL_CALLS),
                        optional(literal(" ")),
                        literal("["),
                        row(call, ", ", parallel),
                        literal("]"));
            case MISTRAL_ARGS -> row(call, "", parallel);
        };
    }

    /** Text, and maybe calls behind it; null where they can't be told apart. */
    @Nullable
    OutputForm auto(List<Tool> tools, boolean parallel) {
        List<Tool> held = tools.stream().map(this::held).toList();
        return switch (style) {
            case NONE, GEMMA, GLM_LINES -> null;
            case INSTRUCTED, HERMES, GLM_XML -> sequence(new TextWithout(TOOL_CALL), optional(calls(held, parallel)));
            case MISTRAL_LIST, MISTRAL_ARGS -> sequence(new TextWithout(TOOL_CALLS), optional(calls(held, parallel)));
            case QWEN_XML ->
                sequence(new Regex(textWithout(List.of(TOOL_CALL, "<function="))), optional(calls(held, parallel)));
            case LLAMA_JSON -> instead("{", "<|python_tag|>", calls(held, parallel));
            case PYTHONIC -> instead("\\[", "<|", calls(held, parallel));
        };
    }

    /** A tool as free text holds its calls: the arguments of one that isn't strict are any object. */
    private Tool held(Tool tool) {
        boolean oneByOne = style == ToolStyle.PYTHONIC || style == ToolStyle.QWEN_XML || style == ToolStyle.GLM_XML;
        return tool.strict() || oneByOne ? tool : tool.withAnyArguments();
    }

    /** Reasoning before a form: it may be left out unless the prompt has begun it. */
    OutputForm reasoned(ReasoningTags tags, boolean opened, OutputForm form) {
        OutputForm rest =
                sequence(new TextWithout(tags.close()), mark(tags.close()), new Repeat(literal("\n"), 0, 2), form);
        return opened ? rest : choice(List.of(form, sequence(mark(tags.open()), rest)));
    }

    /** Calls, or a text that the parser sees from its first char to be none. */
    private static OutputForm instead(String first, String mark, OutputForm calls) {
        OutputForm text = sequence(new Regex("[^\\s" + first + "<]|<[^|]"), new TextWithout(mark));
        return choice(List.of(calls, optional(text)));
    }

    private OutputForm call(Tool tool) {
        return switch (style) {
            case NONE -> throw new IllegalArgumentException("the model calls no tools");
            case INSTRUCTED, GEMMA, HERMES ->
                sequence(mark(TOOL_CALL), literal("\n"), object(tool, "arguments"), literal("\n"), mark(END_TOOL_CALL));
            case MISTRAL_LIST -> object(tool, "arguments");
            case LLAMA_JSON -> object(tool, "parameters");
            case MISTRAL_ARGS -> sequence(mark(TOOL_CALLS), literal(tool.name()), mark("[ARGS]"), arguments(tool));
            case GLM_LINES -> sequence(literal(tool.name() + "\n"), arguments(tool));
            case PYTHONIC -> sequence(literal(tool.name() + "("), ArgumentForms.python(tool), literal(")"));
            case QWEN_XML ->
                sequence(
                        mark(TOOL_CALL),
                        literal("\n<function=" + tool.name() + ">\n"),
                        ArgumentForms.tagged(
                                tool,
                                (key, value) -> sequence(
                                        literal("<parameter="),
                                        key,
                                        literal(">\n"),
                                        value,
                                        literal("\n</parameter>\n")),
                                "</parameter>"),
                        literal("</function>\n"),
                        mark(END_TOOL_CALL));
            case GLM_XML ->
                sequence(
                        mark(TOOL_CALL),
                        literal(tool.name() + "\n"),
                        ArgumentForms.tagged(
                                tool,
                                (key, value) -> sequence(
                                        mark("<arg_key>"),
                                        key,
                                        mark("</arg_key>"),
                                        literal("\n"),
                                        mark("<arg_value>"),
                                        value,
                                        mark("</arg_value>"),
                                        literal("\n")),
                                "</arg_value>"),
                        mark(END_TOOL_CALL));
        };
    }

    private static OutputForm object(Tool tool, String arguments) {
        String head = "{\"name\": " + PythonLiteral.quoted(tool.name()) + ", \"" + arguments + "\": ";
        return sequence(literal(head), arguments(tool), literal("}"));
    }

    private static OutputForm arguments(Tool tool) {
        if (!(tool.parameters() instanceof ObjectNode schema) || schema.has("type")) {
            return new Json(tool.parameters());
        }
        // A schema without a type allows other values than objects.
        return new Json(schema.deepCopy().put("type", "object"));
    }

    private OutputForm mark(String mark) {
        return specialMarks.contains(mark) ? new Special(mark) : literal(mark);
    }

    private static OutputForm row(OutputForm call, String separator, boolean parallel) {
        return parallel ? sequence(call, new Repeat(sequence(literal(separator), call), 0, Integer.MAX_VALUE)) : call;
    }

    /**
     * A regular expression for texts in which none of these marks occurs. Each begins with the same char, which doesn't occur
     * again in it.
     */
    static String textWithout(List<String> marks) {
        char first = marks.getFirst().charAt(0);
        String behind = notBegun(marks.stream().map(m -> m.substring(1)).toList(), first);
        return "[^" + first + "]*(" + first + behind + ")*";
    }

    /** What may come, up to the next {@code first}, where these rests of marks may not. */
    private static String notBegun(List<String> rests, char first) {
        StringBuilder nexts = new StringBuilder();
        List<String> options = new ArrayList<>();
        for (String rest : rests) {
            char next = rest.charAt(0);
            if (nexts.indexOf(String.valueOf(next)) >= 0) {
                continue;
            }
            nexts.append(next);
            List<String> further = rests.stream()
                    .filter(r -> r.charAt(0) == next)
                    .map(r -> r.substring(1))
                    .toList();
            if (!further.contains("")) {
                options.add(next + notBegun(further, first));
            }
        }
        options.addFirst("[^" + first + nexts + "][^" + first + "]*");
        return "(" + String.join("|", options) + ")?";
    }

    static OutputForm literal(String text) {
        return new Literal(text);
    }

    static OutputForm sequence(OutputForm... parts) {
        List<OutputForm> all = new ArrayList<>(parts.length);
        for (OutputForm part : parts) {
            if (part instanceof Literal(String text)
                    && !all.isEmpty()
                    && all.getLast() instanceof Literal(String before)) {
                all.set(all.size() - 1, literal(before + text));
            } else {
                all.add(part);
            }
        }
        return new Sequence(List.copyOf(all));
    }

    static OutputForm choice(List<OutputForm> options) {
        return options.size() == 1 ? options.getFirst() : new Choice(options);
    }

    static OutputForm optional(OutputForm form) {
        return new Repeat(form, 0, 1);
    }
}
