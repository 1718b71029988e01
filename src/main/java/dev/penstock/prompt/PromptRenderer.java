package dev.penstock.prompt;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Renders a conversation by a model's chat template, with the variables that Hugging Face's {@code apply_chat_template}
 * gives to templates; a model without one takes {@link PlainTemplate}. Safe for many threads.
 *
 * <p>A rendered template is encoded without the tokenizer's own begin token: it prints {@code bos_token} itself where the
 * model wants one. Names of control tokens inside of messages become control tokens too, here as there. Only the text of
 * {@link PlainTemplate} gets the begin token.
 */
public final class PromptRenderer {
    private PromptRenderer() {}

    /**
     * The text of a prompt.
     *
     * @param messages maps with role, content and whatever else templates read
     * @param extra further variables, such as those of {@code chat_template_kwargs}; they replace neither the messages nor
     *     the names of the model's tokens
     * @param addGenerationPrompt whether the prompt ends with the beginning of a reply
     * @throws TemplateException the template refuses the conversation or fails on it
     */
    public static String render(
            ServedModel model,
            List<Map<String, Object>> messages,
            Map<String, @Nullable Object> extra,
            boolean addGenerationPrompt) {
        Map<String, @Nullable Object> variables = new HashMap<>();
        // Defined, as templates tell "none" from "undefined".
        variables.put("tools", null);
        variables.put("documents", null);
        variables.putAll(extra);
        variables.put("messages", messages);
        variables.put("add_generation_prompt", addGenerationPrompt);
        token(variables, "bos_token", model.bosToken());
        token(variables, "eos_token", model.eosToken());
        ChatTemplate template = model.template();
        return (template == null ? PlainTemplate.INSTANCE : template).render(variables);
    }

    /** A token that the model lacks is left undefined, so that it prints as nothing. */
    private static void token(Map<String, @Nullable Object> variables, String name, @Nullable String token) {
        if (token == null) {
            variables.remove(name);
        } else {
            variables.put(name, token);
        }
    }
}
