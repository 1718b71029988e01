package dev.penstock.prompt.dialogue;

import dev.penstock.prompt.Tokenizer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Tells a family's way of writing from its chat template, which spells out the marks that it was trained on. */
final class FormatDetector {
    /** The variable {@code tools} inside of a tag of Jinja. */
    private static final Pattern TOOLS = Pattern.compile("\\{[%{][^%}]{0,200}\\btools\\b");

    private static final Pattern PYTHONIC = Pattern.compile("\\[\\s*func(tion)?_?name");

    private FormatDetector() {}

    static ToolStyle tools(String template, String modelType) {
        if (!TOOLS.matcher(template).find()) {
            return template.contains("<start_of_turn>") || modelType.startsWith("gemma")
                    ? ToolStyle.GEMMA
                    : ToolStyle.INSTRUCTED;
        }
        if (template.contains("<tool_call>") && template.contains("<function=") && template.contains("<parameter=")) {
            return ToolStyle.QWEN_XML;
        }
        if (template.contains("<arg_key>")) {
            return ToolStyle.GLM_XML;
        }
        // MiniMax and Apriel have tags of their own around it.
        if (template.contains("<tool_call>") && !template.contains("<invoke") && !template.contains("<tool_calls>")) {
            return ToolStyle.HERMES;
        }
        if (template.contains("[TOOL_CALLS]")) {
            return template.contains("[ARGS]") ? ToolStyle.MISTRAL_ARGS : ToolStyle.MISTRAL_LIST;
        }
        if (template.contains("<|observation|>") && (modelType.startsWith("glm") || modelType.startsWith("chatglm"))) {
            return ToolStyle.GLM_LINES;
        }
        if (PYTHONIC.matcher(template).find()) {
            return ToolStyle.PYTHONIC;
        }
        if (template.contains("ipython") && template.contains("\"parameters\": ")) {
            return ToolStyle.LLAMA_JSON;
        }
        return ToolStyle.INSTRUCTED;
    }

    static @Nullable ReasoningTags reasoning(String template, Tokenizer tokenizer) {
        return Stream.of(ReasoningTags.THINK, ReasoningTags.BRACKETS)
                .filter(tags -> template.contains(tags.close())
                        || (tokenizer.id(tags.open()).isPresent()
                                && tokenizer.id(tags.close()).isPresent()))
                .findFirst()
                .orElse(null);
    }
}
