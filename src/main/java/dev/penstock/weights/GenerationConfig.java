package dev.penstock.weights;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What generation_config.json proposes, or the search of genai_config.json, as plain data; where it gives no bos or eos
 * tokens, those of the model's configuration.
 *
 * @param bosTokens ids that begin a sequence; at most one in practice
 * @param eosTokens ids that end a completion
 * @param doSample whether the authors sample; false means that they take the most likely token
 * @param temperature see {@link dev.penstock.model.SamplingParams}, like the four after it
 * @param topP likewise
 * @param topK likewise
 * @param minP likewise
 * @param repetitionPenalty likewise
 */
public record GenerationConfig(
        List<Integer> bosTokens,
        List<Integer> eosTokens,
        Optional<Boolean> doSample,
        OptionalDouble temperature,
        OptionalDouble topP,
        OptionalInt topK,
        OptionalDouble minP,
        OptionalDouble repetitionPenalty) {

    /** Copies the lists. */
    public GenerationConfig {
        bosTokens = List.copyOf(bosTokens);
        eosTokens = List.copyOf(eosTokens);
    }

    /** Reads generation_config.json where there is one. */
    static GenerationConfig of(JsonFile config, Optional<JsonFile> generation) {
        return of(config, generation.orElse(config));
    }

    /** Reads values, with tokens of {@code model} where they have none. */
    static GenerationConfig of(JsonFile model, JsonFile values) {
        return new GenerationConfig(
                tokens("bos_token_id", values, model),
                tokens("eos_token_id", values, model),
                values.optionalBoolean("do_sample"),
                values.optionalDouble("temperature", 0, 1e4),
                values.optionalDouble("top_p", 0, 1),
                values.optionalInt("top_k", 0, Integer.MAX_VALUE),
                values.optionalDouble("min_p", 0, 1),
                values.optionalDouble("repetition_penalty", 1e-4, 1e4));
    }

    private static List<Integer> tokens(String name, JsonFile first, JsonFile second) {
        List<Integer> ids = first.tokenIds(name);
        return ids.isEmpty() ? second.tokenIds(name) : ids;
    }
}
