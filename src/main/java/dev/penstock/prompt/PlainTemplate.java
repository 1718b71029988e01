package dev.penstock.prompt;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The fallback for models that bring no chat template: a paragraph {@code role: content} for each message, and then
 * {@code assistant:} for the model to go on from. Base models continue such a transcript; nothing better is known about
 * them. Its prompts are encoded with the tokenizer's own begin token.
 */
public final class PlainTemplate implements ChatTemplate {
    /** It has no state. */
    public static final PlainTemplate INSTANCE = new PlainTemplate();

    /** What ends the assistant's paragraph: there the model begins to speak for others. */
    public static final List<String> STOP = List.of("\n\nuser:", "\n\nsystem:");

    private PlainTemplate() {}

    @Override
    public String render(Map<String, @Nullable Object> variables) {
        if (!(variables.get("messages") instanceof List<?> messages)) {
            throw new TemplateException("there are no messages");
        }
        StringBuilder prompt = new StringBuilder();
        for (Object element : messages) {
            if (!(element instanceof Map<?, ?> message)
                    || !(message.get("role") instanceof String role)
                    || !(message.get("content") instanceof String content)) {
                throw new TemplateException("a message has no role or no content");
            }
            prompt.append(role).append(": ").append(content).append("\n\n");
        }
        if (Boolean.TRUE.equals(variables.get("add_generation_prompt"))) {
            prompt.append("assistant:");
        }
        return prompt.toString();
    }
}
