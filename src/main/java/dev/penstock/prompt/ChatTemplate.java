package dev.penstock.prompt;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A model's chat template: turns the messages of a conversation into the text of a prompt. Safe for many threads. */
public interface ChatTemplate {
    /**
     * Renders the prompt.
     *
     * @param variables what the template sees: {@code messages} (a list of maps with role and content),
     *     {@code add_generation_prompt}, {@code bos_token}, {@code eos_token}, and whatever a caller adds; values are
     *     maps, lists, strings, numbers, booleans and null
     * @throws TemplateException the template raised an error or can't be rendered, with line and column
     */
    String render(Map<String, @Nullable Object> variables);
}
