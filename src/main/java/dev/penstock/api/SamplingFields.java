package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import dev.penstock.model.SamplingParams;
import dev.penstock.prompt.SamplingDefaults;
import dev.penstock.prompt.ServedModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What a request says about sampling, as far as it says something; both endpoints read it alike. Beside OpenAI's fields
 * these are vLLM's: {@code top_k}, {@code min_p}, {@code repetition_penalty}, {@code min_tokens}, {@code ignore_eos},
 * {@code stop_token_ids}, {@code prompt_logprobs}, {@code truncate_prompt_tokens}.
 *
 * @param promptTokens of longer prompts, this many tokens at the end are kept
 */
record SamplingFields(
        OptionalDouble temperature,
        OptionalDouble topP,
        OptionalInt topK,
        OptionalDouble minP,
        OptionalDouble repetitionPenalty,
        OptionalDouble frequencyPenalty,
        OptionalDouble presencePenalty,
        Map<Integer, Float> logitBias,
        OptionalLong seed,
        OptionalInt maxTokens,
        int minTokens,
        boolean ignoreEos,
        Set<Integer> stopTokens,
        List<String> stop,
        OptionalInt topLogprobs,
        OptionalInt promptLogprobs,
        OptionalInt promptTokens) {

    /** OpenAI's limit. */
    private static final int MAX_STOPS = 4;

    /** Every stop string is searched for in every piece of text. */
    private static final int MAX_STOP_CHARS = 1000;

    /** Each entry costs the sampler a little in every step. */
    private static final int MAX_LOGIT_BIASES = 1024;

    private static final int MAX_STOP_TOKENS = 1024;

    private static final int MAX_PROMPT_LOGPROBS = 20;

    static SamplingFields read(JsonObject body, OptionalInt maxTokens, OptionalInt topLogprobs) {
        int minTokens = body.integer("min_tokens", 0, Integer.MAX_VALUE).orElse(0);
        if (maxTokens.isPresent() && minTokens > maxTokens.getAsInt()) {
            throw ApiException.badField(
                    "min_tokens",
                    "'min_tokens' (" + minTokens + ") must not exceed the limit of tokens (" + maxTokens.getAsInt()
                            + ").");
        }
        return new SamplingFields(
                body.number("temperature", 0, 2),
                body.number("top_p", 0, 1),
                body.integer("top_k", -1, Integer.MAX_VALUE),
                body.number("min_p", 0, 1),
                repetitionPenalty(body),
                body.number("frequency_penalty", -2, 2),
                body.number("presence_penalty", -2, 2),
                logitBias(body),
                body.longInteger("seed"),
                maxTokens,
                minTokens,
                body.flag("ignore_eos", false),
                stopTokens(body),
                stop(body),
                topLogprobs,
                body.integer("prompt_logprobs", 0, MAX_PROMPT_LOGPROBS),
                body.integer("truncate_prompt_tokens", 1, Integer.MAX_VALUE));
    }

    /** The same with these stop strings. */
    SamplingFields withStop(List<String> strings) {
        return new SamplingFields(
                temperature,
                topP,
                topK,
                minP,
                repetitionPenalty,
                frequencyPenalty,
                presencePenalty,
                logitBias,
                seed,
                maxTokens,
                minTokens,
                ignoreEos,
                stopTokens,
                List.copyOf(strings),
                topLogprobs,
                promptLogprobs,
                promptTokens);
    }

    /** By vLLM's name, or by llama.cpp's. */
    private static OptionalDouble repetitionPenalty(JsonObject body) {
        OptionalDouble penalty = body.number("repetition_penalty", 0.01, 100);
        return penalty.isPresent() ? penalty : body.number("repeat_penalty", 0.01, 100);
    }

    /**
     * The parameters for one choice. A limit that would go past the context ends there: the reply then finishes with
     * {@code length}.
     *
     * @param choice with one seed, choices differ by their index yet stay reproducible
     * @param defaultMaxTokens what applies where the request sets no limit
     * @param extraStop stop strings beside the request's own
     * @return to be completed with what is not sampling
     */
    SamplingParams.Builder resolve(
            ServedModel model, int promptTokens, int choice, int defaultMaxTokens, List<String> extraStop) {
        checkVocabulary(model);
        SamplingDefaults defaults = model.defaults();
        int room = model.contextLength() - promptTokens;
        int limit = Math.min(maxTokens.orElse(defaultMaxTokens), room);
        List<String> stops = new ArrayList<>(stop);
        stops.addAll(extraStop);
        SamplingParams.Builder builder = SamplingParams.builder(limit)
                .temperature((float) temperature.orElse(defaults.temperature()))
                .topP((float) topP.orElse(defaults.topP()))
                .topK(Math.max(0, topK.orElse(defaults.topK())))
                .minP((float) minP.orElse(defaults.minP()))
                .repetitionPenalty((float) repetitionPenalty.orElse(defaults.repetitionPenalty()))
                .frequencyPenalty((float) frequencyPenalty.orElse(0))
                .presencePenalty((float) presencePenalty.orElse(0))
                .logitBias(logitBias)
                .minTokens(Math.min(minTokens, limit))
                .ignoreEos(ignoreEos)
                .eosTokens(model.eosTokens())
                .stopTokens(stopTokens)
                .stop(stops);
        seed.ifPresent(s -> builder.seed(s + choice));
        topLogprobs.ifPresent(builder::topLogprobs);
        promptLogprobs.ifPresent(builder::promptLogprobs);
        return builder;
    }

    private void checkVocabulary(ServedModel model) {
        int vocabSize = model.tokenizer().vocabSize();
        for (int token : logitBias.keySet()) {
            if (token >= vocabSize) {
                throw notInVocabulary("logit_bias", token, vocabSize);
            }
        }
        for (int token : stopTokens) {
            if (token >= vocabSize) {
                throw notInVocabulary("stop_token_ids", token, vocabSize);
            }
        }
    }

    private static ApiException notInVocabulary(String param, int token, int vocabSize) {
        return ApiException.badField(
                param,
                "'" + param + "' names token " + token + ", but the model's tokens are 0 to " + (vocabSize - 1) + ".");
    }

    private static Map<Integer, Float> logitBias(JsonObject body) {
        JsonObject object = body.object("logit_bias");
        if (object == null) {
            return Map.of();
        }
        Map<Integer, Float> biases = new HashMap<>();
        Iterator<Map.Entry<String, JsonNode>> fields = object.fields();
        while (fields.hasNext()) {
            Map.Entry<String, JsonNode> field = fields.next();
            int token;
            try {
                token = Integer.parseUnsignedInt(field.getKey());
            } catch (NumberFormatException e) {
                token = -1;
            }
            if (token < 0) {
                throw ApiException.badField("logit_bias", "The keys of 'logit_bias' must be token ids.");
            }
            biases.put(token, (float) JsonObject.number(field.getValue(), "logit_bias", -100, 100));
            if (biases.size() > MAX_LOGIT_BIASES) {
                throw ApiException.badField(
                        "logit_bias", "'logit_bias' must have at most " + MAX_LOGIT_BIASES + " entries.");
            }
        }
        return biases;
    }

    private static Set<Integer> stopTokens(JsonObject body) {
        List<JsonNode> elements = body.array("stop_token_ids");
        if (elements == null) {
            return Set.of();
        }
        if (elements.size() > MAX_STOP_TOKENS) {
            throw ApiException.badField(
                    "stop_token_ids", "'stop_token_ids' must have at most " + MAX_STOP_TOKENS + " entries.");
        }
        Set<Integer> tokens = new HashSet<>();
        for (JsonNode element : elements) {
            tokens.add(JsonObject.integer(element, "stop_token_ids", 0, Integer.MAX_VALUE));
        }
        return tokens;
    }

    private static List<String> stop(JsonObject body) {
        JsonNode value = body.get("stop");
        if (value == null) {
            return List.of();
        }
        List<String> stops = new ArrayList<>();
        if (value.isTextual()) {
            stops.add(JsonObject.text(value, "stop"));
        } else if (value.isArray()) {
            if (value.size() > MAX_STOPS) {
                throw ApiException.badField(
                        "stop", "'stop' must have at most " + MAX_STOPS + " strings, not " + value.size() + ".");
            }
            value.forEach(element -> stops.add(JsonObject.text(element, "stop")));
        } else {
            throw JsonObject.wrongType("stop", "a string or an array of strings", value);
        }
        for (String stop : stops) {
            if (stop.isEmpty() || stop.length() > MAX_STOP_CHARS) {
                throw ApiException.badField(
                        "stop", "Each string of 'stop' must have 1 to " + MAX_STOP_CHARS + " characters.");
            }
        }
        return List.copyOf(stops);
    }
}
