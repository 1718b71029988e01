package dev.penstock.api;

import dev.penstock.model.OutputConstraint;
import dev.penstock.prompt.PromptRenderer;
import dev.penstock.prompt.ServedModel;
import dev.penstock.prompt.TemplateException;
import dev.penstock.prompt.constraint.ConstraintException;
import dev.penstock.prompt.constraint.Constraints;
import dev.penstock.prompt.constraint.OutputForm;
import dev.penstock.prompt.dialogue.CompletionParser;
import dev.penstock.prompt.dialogue.DialogueFormat;
import dev.penstock.prompt.dialogue.Tool;
import dev.penstock.prompt.dialogue.ToolChecks;
import dev.penstock.prompt.dialogue.ToolMessages;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A chat request in the language of the model that takes it: what it reads, what it may write, and how that is understood. */
final class Conversation {
    /** Enough to see whether the template has opened the reasoning. */
    private static final int TAIL_CHARS = 200;

    private final ServedModel model;
    private final ChatRequest request;
    private final DialogueFormat dialogue;

    Conversation(ServedModel model, ChatRequest request) {
        this.model = model;
        this.request = request;
        dialogue = model.dialogue();
    }

    /** The text of the prompt. */
    String render() {
        Prompts.checkLength(
                model,
                request.messages().stream()
                        .mapToLong(m -> MessageFields.content(m).length())
                        .sum(),
                request.field());
        ToolChecks.conversation(request.messages()).ifPresent(this::refuseMessage);
        List<Tool> tools = request.tools().tools();
        if (!tools.isEmpty() && !dialogue.callsTools()) {
            throw ApiException.unsupported(
                    "tools", "The model '" + model.id() + "' has no chat template, and so can't call tools.");
        }
        ToolChecks.tools(tools).ifPresent(Conversation::refuse);
        Map<String, @Nullable Object> variables = new LinkedHashMap<>(request.templateVariables());
        List<Map<String, Object>> messages = request.messages();
        if (!tools.isEmpty() && dialogue.templateTakesTools()) {
            variables.put("tools", ToolMessages.templateTools(tools));
        } else if (!tools.isEmpty()) {
            messages = withInstructions(messages, DialogueFormat.instructions(tools));
        }
        try {
            return PromptRenderer.render(
                    model, dialogue.templateMessages(messages), variables, request.addGenerationPrompt());
        } catch (TemplateException e) {
            throw ApiException.badField(
                    request.field(), "The model's chat template does not take this conversation: " + e.getMessage());
        }
    }

    /** Messages that came in another form have other places there. */
    private void refuseMessage(ToolChecks.Problem problem) {
        refuse(
                request.field().equals("messages")
                        ? problem
                        : new ToolChecks.Problem(request.field(), problem.message()));
    }

    private static void refuse(ToolChecks.Problem problem) {
        throw ApiException.badField(problem.path(), problem.message());
    }

    /** A model whose template knows no tools reads of them in its instructions. */
    private static List<Map<String, Object>> withInstructions(List<Map<String, Object>> messages, String instructions) {
        List<Map<String, Object>> all = new ArrayList<>(messages);
        boolean hasSystem = "system".equals(messages.getFirst().get("role"));
        String own = hasSystem ? MessageFields.content(all.removeFirst()) + "\n\n" : "";
        all.addFirst(Map.of("role", "system", "content", own + instructions));
        return all;
    }

    /** What the completion may be; null for anything. */
    @Nullable
    OutputConstraint constraint(String rendered) {
        List<Tool> tools = request.tools().tools();
        try {
            return constraint(tools, rendered);
        } catch (ConstraintException e) {
            List<Tool> looser = tools.stream().map(this::held).toList();
            if (looser.equals(tools)) {
                throw refused(e);
            }
            try {
                return constraint(looser, rendered);
            } catch (ConstraintException stillNot) {
                throw refused(stillNot);
            }
        }
    }

    private ApiException refused(ConstraintException e) {
        FormatFields format = request.format();
        return refused(format == null || request.tools().mustCall() ? "tools" : format.field(), e);
    }

    /** A tool as its calls can be held: where it isn't strict, and its schema can't be enforced, it takes any object. */
    private Tool held(Tool tool) {
        return tool.strict() || isTaken(() -> dialogue.callsForm(List.of(tool), false))
                ? tool
                : tool.withAnyArguments();
    }

    private @Nullable OutputConstraint constraint(List<Tool> tools, String rendered) {
        FormatFields format = request.format();
        boolean parallel = request.tools().parallel();
        OutputForm form;
        if (request.tools().mustCall()) {
            form = dialogue.reasoningForm(dialogue.callsForm(tools, parallel), tail(rendered));
        } else if (format != null) {
            OutputForm either = tools.isEmpty()
                    ? format.form()
                    : new OutputForm.Choice(List.of(dialogue.callsForm(tools, parallel), format.form()));
            form = dialogue.reasoningForm(either, tail(rendered));
        } else {
            form = tools.stream().anyMatch(Tool::strict) ? dialogue.autoForm(tools, parallel) : null;
        }
        return form == null ? null : model.constraints().compile(form);
    }

    /**
     * Names of strict tools that this model can't be held to call by their schemas: a schema can't be enforced, or the model's calls
     * aren't told in time from the text that may stand before them.
     */
    static Set<String> unheld(ServedModel model, ToolFields fields) {
        if (fields.tools().isEmpty() || !model.dialogue().callsTools()) {
            return Set.of();
        }
        Stream<Tool> unheld = fields.tools().stream();
        try {
            OutputForm form = calls(model.dialogue(), fields.tools(), fields);
            if (form != null) {
                // As it is compiled again for the reply, and found then.
                model.constraints().compile(form);
                return Set.of();
            }
        } catch (ConstraintException e) {
            unheld = unheld.filter(tool -> !isTaken(() -> calls(model.dialogue(), List.of(tool), fields)));
        }
        return unheld.map(Tool::name).collect(Collectors.toSet());
    }

    private static @Nullable OutputForm calls(DialogueFormat dialogue, List<Tool> tools, ToolFields fields) {
        return fields.mustCall()
                ? dialogue.callsForm(tools, fields.parallel())
                : dialogue.autoForm(tools, fields.parallel());
    }

    private static boolean isTaken(Supplier<@Nullable OutputForm> forms) {
        try {
            OutputForm form = forms.get();
            return form != null && Constraints.takes(form);
        } catch (ConstraintException e) {
            return false;
        }
    }

    /** What a format asks for; null for anything. */
    static @Nullable OutputConstraint compile(ServedModel model, @Nullable FormatFields format) {
        return format == null ? null : compile(model, format.form(), format.field());
    }

    private static OutputConstraint compile(ServedModel model, OutputForm form, String field) {
        try {
            return model.constraints().compile(form);
        } catch (ConstraintException e) {
            throw refused(field, e);
        }
    }

    private static ApiException refused(String field, ConstraintException e) {
        return ApiException.badField(field, "'" + field + "' can't be enforced: " + e.getMessage());
    }

    /** Reads completions; null where all that the model writes is text. */
    @Nullable
    Supplier<CompletionParser> parser(String rendered) {
        boolean expectsCalls = !request.tools().tools().isEmpty();
        if (!expectsCalls && dialogue.reasoning() == null) {
            return null;
        }
        String tail = tail(rendered);
        return () -> dialogue.parser(request.tools().tools(), tail);
    }

    /** Special tokens that {@link #parser} has to see. */
    Set<Integer> shownTokens() {
        boolean expectsCalls = !request.tools().tools().isEmpty();
        return expectsCalls || dialogue.reasoning() != null ? dialogue.shownTokens(model.tokenizer()) : Set.of();
    }

    private static String tail(String text) {
        return text.substring(Math.max(0, text.length() - TAIL_CHARS));
    }
}
