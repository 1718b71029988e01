package dev.penstock.model;

/**
 * One sequence to be generated.
 *
 * @param id the caller's name for it, in logs
 * @param promptTokens the prompt's token ids, at least one
 * @param sampling how tokens are chosen, and when to stop
 */
public record GenerationRequest(String id, int[] promptTokens, SamplingParams sampling) {}
