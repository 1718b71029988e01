package dev.penstock.model;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How the tokens of a completion are chosen, and when it ends.
 *
 * @param temperature divides the logits; 0 takes the most likely token always
 * @param topP keeps the smallest set of most likely tokens with at least this probability together; 1 keeps all
 * @param topK keeps this many most likely tokens; 0 keeps all
 * @param minP drops tokens less likely than this share of the most likely one; 0 keeps all
 * @param repetitionPenalty divides positive and multiplies negative logits of tokens seen in prompt or completion
 *     (Keskar et al. 2019); 1 changes nothing
 * @param frequencyPenalty subtracted from a token's logit once for each time it stands in the completion
 * @param presencePenalty subtracted from a token's logit if it stands in the completion
 * @param logitBias added to the logits of these tokens
 * @param seed the same seed gives the same text whatever else is in the batch; absent means a random one
 * @param maxTokens most tokens to sample, at least 1
 * @param minTokens nothing but {@code maxTokens} ends the completion within this many tokens: end-of-sequence and stop
 *     tokens are not sampled, and a stop string that ends there is text
 * @param ignoreEos end-of-sequence tokens do not end the completion
 * @param eosTokens the model's end-of-sequence tokens
 * @param stopTokens further tokens that end the completion
 * @param stop strings that end the completion and are not part of it
 * @param topLogprobs log probabilities wanted: absent for none, else with this many alternatives a token
 * @param promptLogprobs the same for the prompt's tokens
 * @param shownTokens special tokens whose names are part of the text, where others are left out of it
 * @param constraint what the text may be; null for any. Where it allows nothing more the completion ends with STOP
 */
public record SamplingParams(
        float temperature,
        float topP,
        int topK,
        float minP,
        float repetitionPenalty,
        float frequencyPenalty,
        float presencePenalty,
        Map<Integer, Float> logitBias,
        OptionalLong seed,
        int maxTokens,
        int minTokens,
        boolean ignoreEos,
        Set<Integer> eosTokens,
        Set<Integer> stopTokens,
        List<String> stop,
        OptionalInt topLogprobs,
        OptionalInt promptLogprobs,
        Set<Integer> shownTokens,
        @Nullable OutputConstraint constraint) {

    /** Copies the collections. */
    public SamplingParams {
        logitBias = Map.copyOf(logitBias);
        eosTokens = Set.copyOf(eosTokens);
        stopTokens = Set.copyOf(stopTokens);
        stop = List.copyOf(stop);
        shownTokens = Set.copyOf(shownTokens);
    }

    /** The most likely token always, {@code maxTokens} of them unless one of {@code eosTokens} comes before. */
    public static SamplingParams greedy(int maxTokens, Set<Integer> eosTokens) {
        return builder(maxTokens).temperature(0).eosTokens(eosTokens).build();
    }

    /** Starts from temperature 1 with nothing else set. */
    public static Builder builder(int maxTokens) {
        return new Builder(maxTokens);
    }

    /** Collects the values of a {@link SamplingParams}. */
    public static final class Builder {
        private final int maxTokens;
        private float temperature = 1;
        private float topP = 1;
        private int topK;
        private float minP;
        private float repetitionPenalty = 1;
        private float frequencyPenalty;
        private float presencePenalty;
        private Map<Integer, Float> logitBias = Map.of();
        private OptionalLong seed = OptionalLong.empty();
        private int minTokens;
        private boolean ignoreEos;
        private Set<Integer> eosTokens = Set.of();
        private Set<Integer> stopTokens = Set.of();
        private List<String> stop = List.of();
        private OptionalInt topLogprobs = OptionalInt.empty();
        private OptionalInt promptLogprobs = OptionalInt.empty();
        private Set<Integer> shownTokens = Set.of();
        private @Nullable OutputConstraint constraint;

        private Builder(int maxTokens) {
            this.maxTokens = maxTokens;
        }

        public Builder temperature(float value) {
            temperature = value;
            return this;
        }

        public Builder topP(float value) {
            topP = value;
            return this;
        }

        public Builder topK(int value) {
            topK = value;
            return this;
        }

        public Builder minP(float value) {
            minP = value;
            return this;
        }

        public Builder repetitionPenalty(float value) {
            repetitionPenalty = value;
            return this;
        }

        public Builder frequencyPenalty(float value) {
            frequencyPenalty = value;
            return this;
        }

        public Builder presencePenalty(float value) {
            presencePenalty = value;
            return this;
        }

        public Builder logitBias(Map<Integer, Float> value) {
            logitBias = value;
            return this;
        }

        public Builder seed(long value) {
            seed = OptionalLong.of(value);
            return this;
        }

        public Builder minTokens(int value) {
            minTokens = value;
            return this;
        }

        public Builder ignoreEos(boolean value) {
            ignoreEos = value;
            return this;
        }

        public Builder eosTokens(Set<Integer> value) {
            eosTokens = value;
            return this;
        }

        public Builder stopTokens(Set<Integer> value) {
            stopTokens = value;
            return this;
        }

        public Builder stop(List<String> value) {
            stop = value;
            return this;
        }

        public Builder topLogprobs(int value) {
            topLogprobs = OptionalInt.of(value);
            return this;
        }

        public Builder promptLogprobs(int value) {
            promptLogprobs = OptionalInt.of(value);
            return this;
        }

        public Builder shownTokens(Set<Integer> value) {
            shownTokens = value;
            return this;
        }

        public Builder constraint(@Nullable OutputConstraint value) {
            constraint = value;
            return this;
        }

        /** The record. */
        public SamplingParams build() {
            return new SamplingParams(
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
                    eosTokens,
                    stopTokens,
                    stop,
                    topLogprobs,
                    promptLogprobs,
                    shownTokens,
                    constraint);
        }
    }
}
