package dev.penstock.engine;

import dev.penstock.model.OutputFollower;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Decides which guesses are computed beside a decode, in the same step. What is sampled doesn't depend on them: each place is
 * drawn from its own row with its own random numbers, and a guess is accepted if it is what was drawn. That is an exact
 * acceptance rule (a guess x counts with probability p(x), as in Leviathan et al. 2023 for drafts without a distribution), and
 * a seed gives the same text with and without.
 *
 * <p>A guess goes in if its chance, times that of those before it, is worth what a token more costs the step. Chances are
 * learned from all lookups, computed or not, so finding out costs nothing; the cost is measured. Where the batch is so full
 * that each token takes its own time, hardly a guess is worth it. For one thread.
 */
final class Speculation {
    /** Most drafts of a sequence in a step: with its own token they fill a tile of the matrix products. */
    static final int MAX_DRAFTS = 15;

    /** What a draft must be worth over its cost: estimates err, and the cost is certain. */
    private static final double MARGIN = 1.25;

    private final Acceptance acceptance = Acceptance.ofLoop();
    private final StepCost cost = new StepCost();
    private final int vocabSize;

    /** For one loop, which takes tokens under {@code vocabSize}. */
    Speculation(int vocabSize) {
        this.vocabSize = vocabSize;
    }

    /** A step ended that computed this many tokens, {@code promptTokens} of them of prompts. */
    void stepTook(int tokens, int promptTokens, long ns) {
        if (promptTokens == 0) {
            cost.took(tokens, (double) ns);
        } else {
            cost.interrupted();
        }
    }

    /**
     * Writes guesses behind a sequence that decodes.
     *
     * @param most of them
     * @param sequences that decode in this step
     */
    void draft(Sequence sequence, int most, int sequences) {
        double least = MARGIN * cost.draftCost(sequences);
        if (least >= 1) {
            return;
        }
        PromptLookup lookup = sequence.lookup(acceptance);
        lookup.find(sequence.tokens(), sequence.length());
        OutputGuard guard = sequence.guard();
        if (guard == null) {
            draft(sequence, lookup, null, most, least);
        } else {
            try {
                draft(sequence, lookup, guard.ahead(), most, least);
            } catch (RuntimeException | StackOverflowError e) {
                // A constraint that can't look ahead fails no step of others; its own sequence meets the failure in
                // sampling.
                sequence.dropDrafts();
            }
        }
    }

    private void draft(Sequence sequence, PromptLookup lookup, @Nullable OutputFollower ahead, int most, double least) {
        double chance = 1;
        boolean follows = lookup.matches();
        for (int place = 0; place < most; place++) {
            OptionalInt forced = ahead == null ? OptionalInt.empty() : forced(ahead);
            int token;
            if (forced.isPresent()) {
                token = forced.getAsInt();
                follows = follows && token == lookup.guess(sequence.tokens(), place);
            } else if (follows) {
                token = lookup.guess(sequence.tokens(), place);
                chance *= lookup.chance(place);
            } else {
                return;
            }
            if (chance < least || token >= vocabSize || (ahead != null && !has(ahead.allowed(), token))) {
                return;
            }
            sequence.draft(token);
            if (ahead != null) {
                ahead.accept(token);
                if (ahead.mustEnd()) {
                    return;
                }
            }
        }
    }

    /** The one token that may come next, where there is but one. */
    private static OptionalInt forced(OutputFollower ahead) {
        OptionalInt only = OptionalInt.empty();
        if (ahead.mayEnd()) {
            return only;
        }
        long[] allowed = ahead.allowed();
        for (int word = 0; word < allowed.length; word++) {
            if (allowed[word] != 0) {
                if (only.isPresent() || Long.bitCount(allowed[word]) > 1) {
                    return OptionalInt.empty();
                }
                only = OptionalInt.of(Long.SIZE * word + Long.numberOfTrailingZeros(allowed[word]));
            }
        }
        return only;
    }

    private static boolean has(long[] tokens, int token) {
        return token / Long.SIZE < tokens.length && (tokens[token / Long.SIZE] >>> token & 1) != 0;
    }
}
