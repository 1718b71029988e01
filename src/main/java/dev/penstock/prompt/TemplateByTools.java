package dev.penstock.prompt;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Two templates of one model, as Hugging Face's {@code apply_chat_template} chooses between those named {@code default} and
 * {@code tool_use}.
 *
 * @param plain for conversations without tools
 * @param withTools for those with the variable {@code tools}
 */
public record TemplateByTools(ChatTemplate plain, ChatTemplate withTools) implements ChatTemplate {
    @Override
    public String render(Map<String, @Nullable Object> variables) {
        return (variables.get("tools") == null ? plain : withTools).render(variables);
    }
}
