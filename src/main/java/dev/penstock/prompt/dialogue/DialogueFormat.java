package dev.penstock.prompt.dialogue;

import dev.penstock.prompt.Tokenizer;
import dev.penstock.prompt.constraint.OutputForm;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How the models of a family write what is not plain text.
 *
 * @param tools how they call tools
 * @param reasoning what stands around their reasoning, if they reason
 */
public record DialogueFormat(ToolStyle tools, @Nullable ReasoningTags reasoning) {
    /**
     * From the template's source and the names of special tokens.
     *
     * @param templateSource the chat template; without one a model has text only
     * @param modelType {@code model_type} of {@code config.json}, if known
     */
    public static DialogueFormat detect(
            @Nullable String templateSource, Tokenizer tokenizer, @Nullable String modelType) {
        throw new UnsupportedOperationException();
    }

    /** Whether tools can be called; where not, requests with tools are to be refused. */
    public boolean callsTools() {
        return tools != ToolStyle.NONE;
    }

    /**
     * Whether the template describes tools itself (variable {@code tools}: {@link #templateTools}) and takes messages with calls
     * and results. Where not, {@link #instructions} go into the system message.
     */
    public boolean templateTakesTools() {
        return callsTools() && tools != ToolStyle.INSTRUCTED;
    }

    /** Ids of special tokens that must be part of the text for the parser, such as {@code [TOOL_CALLS]}. */
    public Set<Integer> shownTokens(Tokenizer tokenizer) {
        throw new UnsupportedOperationException();
    }

    /**
     * A parser for one completion.
     *
     * @param tools the tools that may be called; a call of any other is text; empty: nothing is parsed as a call
     * @param promptTail the rendered prompt's last characters: a template may open the reasoning itself
     */
    public CompletionParser parser(List<Tool> tools, String promptTail) {
        throw new UnsupportedOperationException();
    }

    /**
     * The form of a completion that calls one of these tools, or several with {@code parallel}. It has no place for reasoning:
     * see {@link #reasoningForm}.
     *
     * @param parallel whether there may be more than one call
     */
    public OutputForm callsForm(List<Tool> tools, boolean parallel) {
        throw new UnsupportedOperationException();
    }

    /** Free text in which a call, once begun, has the form of one; null where calls can't be told from text in time. */
    public @Nullable OutputForm autoForm(List<Tool> tools, boolean parallel) {
        throw new UnsupportedOperationException();
    }

    /** Lets reasoning come before what has this form, as the prompt's end asks for it; the same form if the model has none. */
    public OutputForm reasoningForm(OutputForm form, String promptTail) {
        throw new UnsupportedOperationException();
    }

    /** What the system message says where {@link #templateTakesTools} is false. */
    public static String instructions(List<Tool> tools) {
        throw new UnsupportedOperationException();
    }

    /** The template's variable {@code tools}. */
    public static List<Map<String, @Nullable Object>> templateTools(List<Tool> tools) {
        throw new UnsupportedOperationException();
    }

    /**
     * Messages as the template takes them.
     *
     * @param messages as they came: maps with role and content (a string, or null beside calls), {@code tool_calls} (maps with
     *     id and function; arguments as JSON text) and {@code tool_call_id}; checked by {@link ToolMessages#check}
     */
    public List<Map<String, @Nullable Object>> templateMessages(List<Map<String, @Nullable Object>> messages) {
        throw new UnsupportedOperationException();
    }

    /** A new id for a call, as the family's templates want it. */
    public String newCallId() {
        throw new UnsupportedOperationException();
    }
}
