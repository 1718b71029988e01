package dev.penstock.prompt.dialogue;

/** How the models of a family write calls of tools. */
public enum ToolStyle {
    /** Not at all. */
    NONE,
    /** As {@link #HERMES}, because a system message says so: the template knows nothing of tools. */
    INSTRUCTED,
    /**
     * As {@link #INSTRUCTED}, and as Gemma has learnt it: a call in Python in a fence {@code ```tool_code}, or a JSON object like
     * Llama's.
     */
    GEMMA,
    /** {@code <tool_call>{"name": …, "arguments": {…}}</tool_call>}: Hermes, Qwen 2.5 and 3. */
    HERMES,
    /** {@code {"name": …, "parameters": {…}}} instead of a text: Llama 3.1 and later. */
    LLAMA_JSON,
    /** {@code [name(key=value), …]} instead of a text: Llama 4 and LFM 2, and Llama 3.2 by templates that ask for it. */
    PYTHONIC,
    /** {@code [TOOL_CALLS] [{"name": …, "arguments": {…}}]}: Mistral up to the tokenizer's version 7. */
    MISTRAL_LIST,
    /** {@code [TOOL_CALLS]name[ARGS]{…}}: Mistral from the tokenizer's version 11. */
    MISTRAL_ARGS,
    /** {@code <tool_call><function=name><parameter=key>value</parameter></function></tool_call>}: Qwen3-Coder. */
    QWEN_XML,
    /** {@code name} and the arguments on the next line instead of a text: GLM-4. */
    GLM_LINES,
    /** {@code <tool_call>name<arg_key>key</arg_key><arg_value>value</arg_value></tool_call>}: GLM-4.5 and later. */
    GLM_XML
}
