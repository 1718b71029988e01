package dev.penstock.engine;

import dev.penstock.model.SamplingParams;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;

/**
 * Has the JIT compiler see the sampler's passes before a request needs them: until they are compiled, the Vector API makes
 * an object of each vector, and a row takes a thousand times as long.
 */
final class SamplerWarmUp {
    /** Logits in a row: two spans and a rest. */
    private static final int LOGITS = 1100;

    /** Rows: enough for each loop to reach the compiler's highest tier. */
    private static final int ROUNDS = 500;

    /** What a constraint may leave of a row: half of its beginning. */
    private static final long[] MASK = {0x5555_5555_5555_5555L, -1L, 0x5555_5555L};

    private static final List<SamplingParams> PATHS = List.of(
            SamplingParams.builder(1).temperature(0).build(),
            SamplingParams.builder(1).temperature(0.8f).topP(0.5f).build(),
            SamplingParams.builder(1).topK(40).topP(0.9f).build(),
            SamplingParams.builder(1).topLogprobs(5).build());

    private SamplerWarmUp() {}

    /** Samples from random rows for as long as {@code idle} says that there is nothing better to do, a second or so. */
    static void run(BooleanSupplier idle) {
        Random random = new Random(1);
        Sampler sampler = new Sampler(LOGITS);
        LogitRow masked = new LogitRow(LOGITS);
        TokenDraws draws = new TokenDraws(1);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment row = arena.allocate(ValueLayout.JAVA_FLOAT, LOGITS);
            for (int i = 0; i < LOGITS; i++) {
                row.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
            }
            for (int round = 0; round < ROUNDS && idle.getAsBoolean(); round++) {
                masked.open(row, 0);
                masked.keep(MASK);
                for (SamplingParams path : PATHS) {
                    sampler.sample(row, 0, path, null, null, round, draws);
                }
            }
        }
    }
}
