package dev.penstock.engine;

import dev.penstock.model.GenerationRequest;
import dev.penstock.model.SamplingParams;
import java.util.Optional;
import java.util.OptionalInt;

/** What a request must be for a step loop to take it, so that nothing in it can make a step fail. */
final class RequestChecks {
    /** Most alternatives a token, as in OpenAI's API. */
    private static final int MAX_TOP_LOGPROBS = 20;

    /** Most log probabilities of a prompt, alternatives counted in: each takes a hundred bytes or two. */
    private static final int MAX_PROMPT_LOGPROBS = 1 << 18;

    /** Far beyond where text is still text; keeps the quotients of logits within the range of floats. */
    private static final float MAX_TEMPERATURE = 100;

    private final int vocabSize;
    private final int contextLength;

    /** For a loop that takes tokens under {@code vocabSize} and sequences of at most {@code contextLength} of them. */
    RequestChecks(int vocabSize, int contextLength) {
        this.vocabSize = vocabSize;
        this.contextLength = contextLength;
    }

    /** What is wrong with the request, for its caller; empty if nothing is. */
    Optional<String> problem(GenerationRequest request) {
        return promptProblem(request.promptTokens())
                .or(() -> samplingProblem(request.sampling()))
                .or(() -> promptLogprobsProblem(request));
    }

    private Optional<String> promptProblem(int[] prompt) {
        if (prompt.length == 0) {
            return Optional.of("The prompt has no tokens; it needs at least one.");
        }
        if (prompt.length >= contextLength) {
            return Optional.of(
                    ("The prompt has %d tokens, but at most %d fit: the context is %d tokens, and at least one"
                                    + " is left for the completion.")
                            .formatted(prompt.length, contextLength - 1, contextLength));
        }
        for (int i = 0; i < prompt.length; i++) {
            if (!inVocabulary(prompt[i])) {
                return Optional.of("The prompt's token %d at place %d is not in the vocabulary, whose ids are 0 to %d."
                        .formatted(prompt[i], i, vocabSize - 1));
            }
        }
        return Optional.empty();
    }

    private static Optional<String> promptLogprobsProblem(GenerationRequest request) {
        OptionalInt top = request.sampling().promptLogprobs();
        if (top.isEmpty()) {
            return Optional.empty();
        }
        long entries = request.promptTokens().length * (1L + top.getAsInt());
        return range("prompt_logprobs", top.getAsInt(), 0, MAX_TOP_LOGPROBS)
                .or(() -> entries <= MAX_PROMPT_LOGPROBS
                        ? Optional.empty()
                        : Optional.of(
                                "prompt_logprobs of %d for %d prompt tokens are %d entries, more than %d: ask for fewer."
                                        .formatted(
                                                top.getAsInt(),
                                                request.promptTokens().length,
                                                entries,
                                                MAX_PROMPT_LOGPROBS)));
    }

    private Optional<String> samplingProblem(SamplingParams sampling) {
        return range("temperature", sampling.temperature(), 0, MAX_TEMPERATURE)
                .or(() -> sampling.topP() == 0
                        ? Optional.of("top_p must be more than 0.")
                        : range("top_p", sampling.topP(), 0, 1))
                .or(() -> range("top_k", sampling.topK(), 0, Integer.MAX_VALUE))
                .or(() -> range("min_p", sampling.minP(), 0, 1))
                .or(() -> range("repetition_penalty", sampling.repetitionPenalty(), 0.01f, 100))
                .or(() -> range("frequency_penalty", sampling.frequencyPenalty(), -100, 100))
                .or(() -> range("presence_penalty", sampling.presencePenalty(), -100, 100))
                .or(() -> range("max_tokens", sampling.maxTokens(), 1, Integer.MAX_VALUE))
                .or(() -> range("min_tokens", sampling.minTokens(), 0, sampling.maxTokens()))
                .or(() -> range("top_logprobs", sampling.topLogprobs().orElse(0), 0, MAX_TOP_LOGPROBS))
                .or(() -> sampling.stop().contains("")
                        ? Optional.of("A stop string must not be empty.")
                        : Optional.empty())
                .or(() -> biasProblem(sampling));
    }

    private Optional<String> biasProblem(SamplingParams sampling) {
        return sampling.logitBias().entrySet().stream()
                .map(bias -> inVocabulary(bias.getKey())
                        ? range("logit_bias of token " + bias.getKey(), bias.getValue(), -1e6, 1e6)
                        : Optional.of(
                                "logit_bias names the token %d, which is not in the vocabulary, whose ids are 0 to %d."
                                        .formatted(bias.getKey(), vocabSize - 1)))
                .flatMap(Optional::stream)
                .findFirst();
    }

    private boolean inVocabulary(int token) {
        return token >= 0 && token < vocabSize;
    }

    private static Optional<String> range(String name, double value, double least, double most) {
        return value >= least && value <= most
                ? Optional.empty()
                : Optional.of(
                        "%s must be from %s to %s, not %s.".formatted(name, plain(least), plain(most), plain(value)));
    }

    private static String plain(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }
}
