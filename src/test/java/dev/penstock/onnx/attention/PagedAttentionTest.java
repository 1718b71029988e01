package dev.penstock.onnx.attention;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.model.KvType;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The attention kernel against attention written down plainly in double precision. */
class PagedAttentionTest {
    private static final int ALL = Integer.MAX_VALUE;

    private final AttentionScratch scratch = new AttentionScratch();

    @AfterEach
    void free() {
        scratch.close();
    }

    private static AttentionConfig config(int heads, int kvHeads) {
        return new AttentionConfig(heads, kvHeads, 0, 0, ALL, true, false);
    }

    private static double tolerance(KvType type) {
        return switch (type) {
            case FP32 -> 2e-5;
            case FP16 -> 8e-3;
            case INT8 -> 8e-2;
        };
    }

    static Stream<Arguments> headSizesAndGroups() {
        List<Arguments> all = new ArrayList<>();
        for (KvType type : KvType.values()) {
            for (int headSize : new int[] {8, 16, 24, 32, 40, 64, 80, 96, 128, 256}) {
                for (int[] heads : new int[][] {{4, 4}, {8, 2}, {7, 1}}) {
                    all.add(Arguments.of(type, headSize, heads[0], heads[1]));
                }
            }
        }
        return all.stream();
    }

    @ParameterizedTest
    @MethodSource("headSizesAndGroups")
    void everyHeadSizeAndGroupGivesWhatThePlainWayGives(KvType type, int headSize, int heads, int kvHeads) {
        Random random = new Random(headSize * 31L + heads);
        AttentionConfig config = config(heads, kvHeads);
        PagedAttention attention = new PagedAttention(config, scratch);
        try (Threads one = new Threads(1);
                PagedCase sequences = new PagedCase(random, config, headSize, headSize, type, 16, 35, 3, 70)) {
            assertThat(sequences.step(attention, one, 33, 1, 40)).as("prompts").isLessThan(tolerance(type));
            assertThat(sequences.step(attention, one, 1, 1, 1)).as("decode").isLessThan(tolerance(type));
            assertThat(sequences.step(attention, one, 1, 0, 29)).as("a chunk").isLessThan(tolerance(type));
        }
    }

    static Stream<Arguments> seeds() {
        return Stream.iterate(1, seed -> seed + 1).limit(40).map(Arguments::of);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void randomRaggedStepsGiveWhatThePlainWayGives(int seed) {
        Random random = new Random(seed);
        KvType type = KvType.values()[random.nextInt(KvType.values().length)];
        int headSize = 8 * (1 + random.nextInt(16));
        int kvHeads = 1 + random.nextInt(3);
        AttentionConfig config = new AttentionConfig(
                kvHeads * (1 + random.nextInt(9)),
                kvHeads,
                random.nextBoolean() ? 0 : random.nextFloat(),
                random.nextInt(3) == 0 ? 5 + random.nextInt(40) : 0,
                random.nextInt(3) == 0 ? 1 + random.nextInt(100) : ALL,
                random.nextInt(4) != 0,
                random.nextBoolean());
        int rotary = random.nextBoolean() ? headSize : 2 * (1 + random.nextInt(headSize / 2));
        int[] lengths = new int[1 + random.nextInt(5)];
        for (int s = 0; s < lengths.length; s++) {
            lengths[s] = 1 + random.nextInt(random.nextInt(4) == 0 ? 600 : 60);
        }
        PagedAttention attention = new PagedAttention(config, scratch);
        int blockSize = 16 * (1 + random.nextInt(3));
        try (Threads workers = new Threads(1 + random.nextInt(4));
                PagedCase sequences = new PagedCase(random, config, headSize, rotary, type, blockSize, lengths)) {
            boolean left = true;
            while (left) {
                left = false;
                int[] counts = new int[lengths.length];
                int total = 0;
                for (int s = 0; s < counts.length; s++) {
                    int most = sequences.left(s);
                    counts[s] = random.nextInt(3) == 0 ? Math.min(1, most) : random.nextInt(most + 1);
                    total += counts[s];
                    left |= most > counts[s];
                }
                if (total > 0) {
                    assertThat(sequences.step(attention, workers, counts))
                            .as("%s, head size %d, %s", config, headSize, type)
                            .isLessThan(tolerance(type) * (type == KvType.FP32 ? 1 : 3));
                }
            }
        }
    }

    @Test
    void aLongContextOfFewHeadsIsSplitAmongWorkersByKeys() {
        AttentionConfig config = config(2, 1);
        PagedAttention attention = new PagedAttention(config, scratch);
        try (Threads workers = new Threads(8);
                PagedCase sequence = new PagedCase(new Random(7), config, 64, 64, KvType.FP32, 16, 3000)) {
            assertThat(sequence.step(attention, workers, 2997)).isLessThan(2e-5);
            assertThat(sequence.step(attention, workers, 1)).isLessThan(2e-5);
            assertThat(sequence.step(attention, workers, 2)).isLessThan(2e-5);
        }
    }

    @Test
    void manySequencesOfManyHeadsRunInParallel() {
        AttentionConfig config = config(32, 4);
        PagedAttention attention = new PagedAttention(config, scratch);
        int[] lengths = new int[16];
        int[] prompts = new int[16];
        int[] ones = new int[16];
        for (int s = 0; s < lengths.length; s++) {
            lengths[s] = 20 + 17 * s;
            prompts[s] = lengths[s] - 1;
            ones[s] = 1;
        }
        try (Threads workers = new Threads(4);
                PagedCase sequences = new PagedCase(new Random(8), config, 64, 64, KvType.FP16, 16, lengths)) {
            assertThat(sequences.step(attention, workers, prompts)).isLessThan(8e-3);
            assertThat(sequences.step(attention, workers, ones)).isLessThan(8e-3);
        }
    }
}
