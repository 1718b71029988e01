package dev.penstock.engine;

import org.jspecify.annotations.Nullable;

/**
 * How often the token that followed an earlier occurrence of a text follows it again, by how many tokens of the text before it
 * were the same. What lies further back counts less. For one thread.
 */
final class Acceptance {
    /** Tokens in common from which on one more makes no difference. */
    static final int LONGEST = 16;

    /** What a loop remembers: some hundred cases of a length. */
    private static final double LOOP_MEMORY = 0.995;

    /** What a sequence remembers: some twenty, since a text turns from quoting to speaking for itself within a line. */
    private static final double SEQUENCE_MEMORY = 0.95;

    /** Cases that the more general view weighs as much as. */
    private static final double PRIOR_WEIGHT = 3;

    private final double memory;
    private final @Nullable Acceptance prior;
    private final double[] hits = new double[LONGEST + 1];
    private final double[] cases = new double[LONGEST + 1];

    private Acceptance(double memory, @Nullable Acceptance prior) {
        this.memory = memory;
        this.prior = prior;
    }

    /** Of all sequences of a loop. */
    static Acceptance ofLoop() {
        return new Acceptance(LOOP_MEMORY, null);
    }

    /** Of one sequence, taken to be like the others until it has shown what it is like. */
    Acceptance ofSequence() {
        return new Acceptance(SEQUENCE_MEMORY, this);
    }

    /** The chance that the token comes again after so many, at least 1, that did. */
    double chance(int matched) {
        int length = Math.min(matched, LONGEST);
        return (hits[length] + PRIOR_WEIGHT * priorChance(length)) / (cases[length] + PRIOR_WEIGHT);
    }

    /** Whether it came again after so many, at least 1, that did. */
    void saw(int matched, boolean again) {
        int length = Math.min(matched, LONGEST);
        hits[length] = memory * hits[length] + (again ? 1 : 0);
        cases[length] = memory * cases[length] + 1;
        if (prior != null) {
            prior.saw(matched, again);
        }
    }

    /** Before anything is known: a fifth after one token, four fifths after many. */
    private double priorChance(int length) {
        return prior != null ? prior.chance(length) : length / (length + 4.0);
    }
}
