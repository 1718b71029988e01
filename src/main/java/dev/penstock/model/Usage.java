package dev.penstock.model;

/**
 * Tokens that a generation took.
 *
 * @param promptTokens tokens of the prompt
 * @param cachedPromptTokens those of them whose keys and values came from the prefix cache
 * @param completionTokens tokens sampled, an end-of-sequence token included
 */
public record Usage(int promptTokens, int cachedPromptTokens, int completionTokens) {}
