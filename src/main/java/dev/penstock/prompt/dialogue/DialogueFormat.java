package dev.penstock.prompt.dialogue;

import dev.penstock.prompt.Tokenizer;
import dev.penstock.prompt.constraint.ConstraintException;
import dev.penstock.prompt.constraint.OutputForm;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How the models of a family write what is not plain text.
 *
 * @param tools how they call tools
 * @param reasoning what stands around their reasoning, if they reason
 * @param specialMarks those of the marks that are special tokens of the model
 */
public record DialogueFormat(ToolStyle tools, @Nullable ReasoningTags reasoning, Set<String> specialMarks) {
    private static final String ALPHANUMERIC = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    private static final int CALL_ID_CHARS = 24;

    /** Copies the set. */
    public DialogueFormat {
        specialMarks = Set.copyOf(specialMarks);
    }

    /**
     * The format that a model's files tell of.
     *
     * @param templateSource the chat template; without one a model has text only
     * @param modelType {@code model_type} of {@code config.json}, if known
     */
    public static DialogueFormat detect(
            @Nullable String templateSource, Tokenizer tokenizer, @Nullable String modelType) {
        if (templateSource == null) {
            return new DialogueFormat(ToolStyle.NONE, null, Set.of());
        }
        ToolStyle style = FormatDetector.tools(templateSource, modelType == null ? "" : modelType);
        ReasoningTags reasoning = FormatDetector.reasoning(templateSource, tokenizer);
        return new DialogueFormat(
                style,
                reasoning,
                marks(style, reasoning)
                        .filter(mark -> special(tokenizer, mark).isPresent())
                        .collect(Collectors.toUnmodifiableSet()));
    }

    /** Whether tools can be called; where not, requests with tools are to be refused. */
    public boolean callsTools() {
        return tools != ToolStyle.NONE;
    }

    /**
     * Whether the template describes tools itself (variable {@code tools}: {@link ToolMessages#templateTools}). Where it doesn't,
     * {@link #instructions} go into the system message.
     */
    public boolean templateTakesTools() {
        return switch (tools) {
            case NONE, INSTRUCTED, GEMMA -> false;
            default -> true;
        };
    }

    /** Ids of special tokens that must be part of the text for the parser, such as {@code [TOOL_CALLS]}. */
    public Set<Integer> shownTokens(Tokenizer tokenizer) {
        return specialMarks.stream()
                .flatMap(mark -> special(tokenizer, mark).stream().boxed())
                .collect(Collectors.toUnmodifiableSet());
    }

    /**
     * A parser for one completion.
     *
     * @param callable the tools that may be called; a call of any other is text; empty: nothing is parsed as a call
     * @param promptTail the rendered prompt's last characters: a template may open the reasoning itself
     */
    public CompletionParser parser(List<Tool> callable, String promptTail) {
        return new DialogueParser(reasoning, opensReasoning(promptTail), CallSyntax.of(tools), List.copyOf(callable));
    }

    /**
     * The form of a completion that calls one of these tools, or several with {@code parallel}; arguments follow the tools'
     * schemas. It has no place for reasoning: {@link #reasoningForm} adds one.
     *
     * @throws ConstraintException a schema can't be followed in this family's way of writing calls
     */
    public OutputForm callsForm(List<Tool> callable, boolean parallel) {
        return forms().calls(callable, parallel);
    }

    /**
     * Free text, and calls behind it, which once begun have the form of calls; arguments of strict tools follow their schemas.
     * Null where calls can't be told from text in time.
     *
     * @throws ConstraintException as with {@link #callsForm}
     */
    public @Nullable OutputForm autoForm(List<Tool> callable, boolean parallel) {
        return forms().auto(callable, parallel);
    }

    /** The same form with room for reasoning before it, unless the model has none. */
    public OutputForm reasoningForm(OutputForm form, String promptTail) {
        return reasoning == null ? form : forms().reasoned(reasoning, opensReasoning(promptTail), form);
    }

    /** What the system message says where {@link #templateTakesTools} is false. */
    public static String instructions(List<Tool> tools) {
        return ToolMessages.instructions(tools);
    }

    /**
     * Messages as the template takes them; {@link ToolChecks#conversation} has passed them.
     *
     * @param messages maps with role, content, {@code tool_calls} (maps with id and function; arguments as JSON text) and
     *     {@code tool_call_id}, where the message has them
     */
    public List<Map<String, Object>> templateMessages(List<Map<String, Object>> messages) {
        if (!templateTakesTools()) {
            return ToolMessages.asText(messages);
        }
        return ToolMessages.forTemplate(
                messages, isMistral() ? id -> ToolMessages.shortened(id, ALPHANUMERIC) : id -> id);
    }

    /** A new id for a call: Mistral's templates want nine letters and digits. */
    public String newCallId() {
        return isMistral() ? random(ToolMessages.SHORT_ID_CHARS) : "call_" + random(CALL_ID_CHARS);
    }

    private boolean isMistral() {
        return tools == ToolStyle.MISTRAL_LIST || tools == ToolStyle.MISTRAL_ARGS;
    }

    private boolean opensReasoning(String promptTail) {
        return reasoning != null && promptTail.stripTrailing().endsWith(reasoning.open());
    }

    private CallForms forms() {
        return new CallForms(tools, specialMarks);
    }

    private static Stream<String> marks(ToolStyle style, @Nullable ReasoningTags reasoning) {
        CallSyntax syntax = CallSyntax.of(style);
        return Stream.of(
                        syntax.openings().stream().map(CallSyntax.Opening::mark),
                        syntax.marks().stream(),
                        reasoning == null ? Stream.<String>of() : Stream.of(reasoning.open(), reasoning.close()))
                .flatMap(s -> s);
    }

    private static OptionalInt special(Tokenizer tokenizer, String mark) {
        OptionalInt id = tokenizer.id(mark);
        return id.isPresent() && tokenizer.isSpecial(id.getAsInt()) ? id : OptionalInt.empty();
    }

    private static String random(int chars) {
        return ThreadLocalRandom.current()
                .ints(chars, 0, ALPHANUMERIC.length())
                .collect(StringBuilder::new, (id, i) -> id.append(ALPHANUMERIC.charAt(i)), StringBuilder::append)
                .toString();
    }
}
