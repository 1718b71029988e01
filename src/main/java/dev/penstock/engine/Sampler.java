package dev.penstock.engine;

import dev.penstock.model.SamplingParams;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Chooses a token from a row of logits. For one thread.
 *
 * <p>In this order: end tokens are masked before {@code minTokens}; logit_bias is added; repetition, frequency and
 * presence penalties; what the constraint doesn't allow is masked; then, at temperature 0, the largest logit (lowest id of
 * equals). Otherwise the logits are divided by the temperature and cut by min_p, top_k and top_p, each over what the one
 * before has left, and a token is drawn.
 * Log probabilities are those of the model: of the row as it came, before all of this.
 *
 * <p>Nothing sorts the vocabulary. top_k is a heap over the logits that pass its top. Without it a token is drawn from all
 * by its weight, and for top_p kept only if the tokens ahead of it weigh less than the wanted share; otherwise the next
 * one is drawn from those ahead of it, which hold the whole nucleus. That is exactly a draw from the nucleus, and it takes
 * hardly more than 1 / top_p passes (rejection as in FlashInfer's sampling kernels, Ye et al. 2025).
 *
 * <p>Where max_tokens is near, a constrained text must also find its end. To ask that of all tokens would cost far more than
 * to ask it of the one that was drawn: if it leads too far, all that do are masked and another one is drawn. To draw from p
 * and, outside of a set, once more from p within the set, is exactly to draw from p given the set; the cuts see all that is
 * allowed at the first draw, and what closes in time at the second.
 */
final class Sampler {
    /** A temperature under this one means 0: the quotients would leave the range of floats. */
    private static final float LEAST_TEMPERATURE = 1e-5f;

    private static final int NO_TOKEN = -1;

    private final LogitRow row;

    /** Places of the row that were changed, with what stood there before. */
    private int[] changed = new int[64];

    private float[] original = new float[64];
    private int changes;

    /** For rows of this many logits. */
    Sampler(int vocabSize) {
        row = new LogitRow(vocabSize);
    }

    /**
     * Chooses one token.
     *
     * @param logits holds the row from {@code offset} bytes on; may be written to
     * @param counts of the sequence; may be null if no penalty is set
     * @param guard of the sequence's output; null if it has no constraint
     * @param place how many tokens the completion has so far
     * @return null where the text has to end without a token
     * @throws StepException the row holds NaN or positive infinity, or nothing but masked tokens
     */
    @Nullable
    Sampled sample(
            MemorySegment logits,
            long offset,
            SamplingParams sampling,
            @Nullable TokenCounts counts,
            @Nullable OutputGuard guard,
            int place,
            TokenDraws draws) {
        row.open(logits, offset);
        changes = 0;
        TopLogprobs top = sampling.topLogprobs().isPresent()
                ? topLogprobs(sampling.topLogprobs().getAsInt())
                : null;
        adjust(sampling, counts, place);
        int token = choose(sampling, guard, place, draws.at(place));
        if (token == NO_TOKEN) {
            return null;
        }
        if (top == null) {
            return new Sampled(token, null);
        }
        return new Sampled(
                token, new Logprobs((float) (originalLogit(token) - top.logSum()), top.tokens(), top.values()));
    }

    /**
     * What the model thinks of a token.
     *
     * @param logits holds the row from {@code offset} bytes on
     * @param top how many of the most likely tokens are wanted beside it
     * @throws StepException the row holds NaN or positive infinity
     */
    Logprobs score(MemorySegment logits, long offset, int token, int top) {
        row.open(logits, offset);
        TopLogprobs best = topLogprobs(top);
        return new Logprobs((float) (row.get(token) - best.logSum()), best.tokens(), best.values());
    }

    private int choose(SamplingParams sampling, @Nullable OutputGuard guard, int place, SplittableRandom random) {
        if (guard == null) {
            return choose(sampling, random);
        }
        row.keep(guard.allowed(place));
        int token = choose(sampling, random);
        if (guard.leadsTooFar(token, place)) {
            long[] closing = guard.closing(place);
            if (closing.length == 0) {
                return NO_TOKEN;
            }
            row.keep(closing);
            token = choose(sampling, random);
        }
        return token;
    }

    private int choose(SamplingParams sampling, SplittableRandom random) {
        checkedScan();
        if (sampling.temperature() < LEAST_TEMPERATURE) {
            return row.argmax();
        }
        if (sampling.topK() > 0 && sampling.topK() < row.size()) {
            return drawFromLargest(sampling, random);
        }
        double total = row.weigh(sampling.temperature(), sampling.minP());
        int token = row.locate(random.nextDouble() * total);
        if (sampling.topP() < 1) {
            double nucleus = sampling.topP() * total;
            for (double ahead = row.ahead(token); ahead >= nucleus; ahead = row.ahead(token)) {
                token = row.locateAhead(token, random.nextDouble() * ahead);
            }
        }
        return token;
    }

    private int drawFromLargest(SamplingParams sampling, SplittableRandom random) {
        LargestLogits largest = row.largest(sampling.topK());
        int kept = largest.size();
        double[] upTo = new double[kept];
        double sum = 0;
        for (int rank = 0; rank < kept; rank++) {
            double weight = Math.exp((double) (largest.logit(rank) - largest.logit(0)) / sampling.temperature());
            if (weight < sampling.minP()) {
                kept = rank;
                break;
            }
            sum += weight;
            upTo[rank] = sum;
        }
        int nucleus = 1;
        while (nucleus < kept && upTo[nucleus - 1] < sampling.topP() * sum) {
            nucleus++;
        }
        double target = random.nextDouble() * upTo[nucleus - 1];
        int rank = 0;
        while (rank < nucleus - 1 && upTo[rank] <= target) {
            rank++;
        }
        return largest.token(rank);
    }

    private TopLogprobs topLogprobs(int top) {
        float max = checkedScan();
        double logSum = max + Math.log(row.weigh(1, 0));
        LargestLogits largest = row.largest(top);
        int[] tokens = new int[largest.size()];
        float[] values = new float[largest.size()];
        for (int rank = 0; rank < tokens.length; rank++) {
            tokens[rank] = largest.token(rank);
            values[rank] = (float) (largest.logit(rank) - logSum);
        }
        return new TopLogprobs(logSum, tokens, values);
    }

    private float checkedScan() {
        float max = row.scan();
        if (Float.isNaN(max) || max == Float.POSITIVE_INFINITY) {
            throw new StepException("the model's logits are not finite numbers");
        }
        if (max == Float.NEGATIVE_INFINITY) {
            throw new StepException(
                    "no token is left to choose from: end tokens before min_tokens, logit_bias and the constraint mask all");
        }
        return max;
    }

    private void adjust(SamplingParams sampling, @Nullable TokenCounts counts, int place) {
        if (place < sampling.minTokens()) {
            for (int token : sampling.eosTokens()) {
                mask(token);
            }
            for (int token : sampling.stopTokens()) {
                mask(token);
            }
        }
        for (Map.Entry<Integer, Float> bias : sampling.logitBias().entrySet()) {
            change(bias.getKey(), row.get(bias.getKey()) + bias.getValue());
        }
        if (counts != null) {
            penalize(sampling, counts);
        }
    }

    private void mask(int token) {
        // Models name end tokens that their vocabulary lacks.
        if (token >= 0 && token < row.size()) {
            change(token, Float.NEGATIVE_INFINITY);
        }
    }

    private void penalize(SamplingParams sampling, TokenCounts counts) {
        float repetition = sampling.repetitionPenalty();
        for (int i = 0; i < counts.size(); i++) {
            int token = counts.token(i);
            float logit = row.get(token);
            logit = logit > 0 ? logit / repetition : logit * repetition;
            int times = counts.inCompletion(i);
            if (times > 0) {
                logit -= times * sampling.frequencyPenalty() + sampling.presencePenalty();
            }
            change(token, logit);
        }
    }

    private void change(int token, float value) {
        if (changes == changed.length) {
            changed = Arrays.copyOf(changed, changes * 2);
            original = Arrays.copyOf(original, changes * 2);
        }
        changed[changes] = token;
        original[changes++] = row.get(token);
        row.set(token, value);
    }

    private float originalLogit(int token) {
        for (int i = 0; i < changes; i++) {
            if (changed[i] == token) {
                return original[i];
            }
        }
        return row.get(token);
    }

    /**
     * A chosen token.
     *
     * @param logprobs those at its place, if they were asked for
     */
    record Sampled(int token, @Nullable Logprobs logprobs) {}

    /**
     * Natural logarithms of probabilities under the model.
     *
     * @param chosen of the chosen token
     * @param topTokens the most likely tokens, most likely first
     * @param top theirs
     */
    record Logprobs(float chosen, int[] topTokens, float[] top) {}

    /** What is known before the choice: the logarithm of the sum of all exponentials, and the most likely tokens. */
    private record TopLogprobs(double logSum, int[] tokens, float[] values) {}
}
