package dev.penstock.prompt.dialogue;

/**
 * What stands around a model's reasoning.
 *
 * @param open what begins it, such as {@code <think>}
 * @param close what ends it
 */
public record ReasoningTags(String open, String close) {
    /** Those of DeepSeek-R1, Qwen3, GLM and many others. */
    public static final ReasoningTags THINK = new ReasoningTags("<think>", "</think>");

    /** Those of Magistral. */
    public static final ReasoningTags BRACKETS = new ReasoningTags("[THINK]", "[/THINK]");
}
