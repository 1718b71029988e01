package dev.penstock.engine;

import java.util.SplittableRandom;

/**
 * Random numbers of one sequence: those of a token depend on the seed and on the token's place in the completion alone,
 * so that neither the batch around it nor a preemption changes them.
 */
final class TokenDraws {
    /** Odd, and not the increment of {@link SplittableRandom}, so that the streams of neighbours don't overlap. */
    private static final long PLACE_STRIDE = 0xD1B5_4A32_D192_ED03L;

    private final long key;

    /** Draws of this seed; neighbouring seeds have nothing in common. */
    TokenDraws(long seed) {
        key = new SplittableRandom(seed).nextLong();
    }

    /** The numbers for the token at this place of the completion, the same at each call. */
    SplittableRandom at(int place) {
        return new SplittableRandom(key + place * PLACE_STRIDE);
    }
}
