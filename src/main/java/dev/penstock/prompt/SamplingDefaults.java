package dev.penstock.prompt;

/**
 * Sampling values that a model's {@code generation_config.json} proposes, used where a request says nothing.
 *
 * @param temperature see {@link dev.penstock.model.SamplingParams}
 * @param topP likewise
 * @param topK likewise
 * @param minP likewise
 * @param repetitionPenalty likewise
 */
public record SamplingDefaults(float temperature, float topP, int topK, float minP, float repetitionPenalty) {
    /** What OpenAI's API documents: temperature 1, nothing cut off. */
    public static final SamplingDefaults NEUTRAL = new SamplingDefaults(1, 1, 0, 0, 1);
}
