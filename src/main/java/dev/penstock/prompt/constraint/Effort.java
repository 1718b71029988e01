package dev.penstock.prompt.constraint;

/**
 * What a constraint may cost while its texts are written: each token earns some steps, and what is looked for spends them, so that a
 * grammar that explodes fails by itself rather than hold up all others. What was found is kept, so that a sensible grammar spends
 * next to nothing after its first texts. Not safe for several threads.
 */
final class Effort {
    /** Steps, of a fraction of a microsecond each, that may be spent at once. */
    private static final long MOST = 2_000_000;

    private static final long EARNED = 20_000;

    private long left = MOST;

    /** For one more token. */
    void earn() {
        left = Math.min(MOST, left + EARNED);
    }

    /**
     * Spends some steps.
     *
     * @throws ConstraintException there are none left
     */
    void spend(long steps) {
        left -= steps;
        if (left < 0) {
            throw new ConstraintException(
                    "which tokens may follow takes too long to find: the text can be read in too many ways"
                            + " at once.");
        }
    }
}
