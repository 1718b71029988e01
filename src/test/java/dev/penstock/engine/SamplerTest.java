package dev.penstock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.penstock.engine.Sampler.Logprobs;
import dev.penstock.engine.Sampler.Sampled;
import dev.penstock.model.SamplingParams;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerTest {
    private static final int[] NONE = {};
    private static final MemorySegment ROW = Arena.ofAuto().allocate(ValueLayout.JAVA_FLOAT, 8192);

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 16, 511, 512, 513, 1000, 4099})
    void greedyTakesTheLargestLogitAndTheLowestIdOfEquals(int vocab) {
        Random random = new Random(vocab);
        for (int round = 0; round < 200; round++) {
            // Few distinct values, so that the largest often stands more than once.
            float[] logits = new float[vocab];
            for (int i = 0; i < vocab; i++) {
                logits[i] = random.nextInt(round < 100 ? 4 : 100_000) - 50_000f;
            }
            int best = 0;
            for (int i = 1; i < vocab; i++) {
                best = logits[i] > logits[best] ? i : best;
            }
            assertThat(draw(logits, builder().temperature(0).build(), NONE, NONE, 0))
                    .isEqualTo(best);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24})
    void drawsFollowTheProbabilitiesOfTheDefinition(long seed) {
        Random random = new Random(seed);
        int vocab = 1 + random.nextInt(seed % 2 == 0 ? 40 : 3000);
        float[] logits = logits(random, vocab, 1 + random.nextInt(4));
        int[] prompt = random.ints(random.nextInt(20), 0, vocab).toArray();
        int[] completion = random.ints(random.nextInt(20), 0, vocab).toArray();
        SamplingParams sampling = randomParams(random, vocab);
        assertDrawsFollow(logits, sampling, prompt, completion);
    }

    @Test
    void eachCutAloneFollowsItsDefinition() {
        float[] logits = logits(new Random(99), 700, 2);
        assertDrawsFollow(logits, builder().build(), NONE, NONE);
        assertDrawsFollow(logits, builder().temperature(0.4f).build(), NONE, NONE);
        assertDrawsFollow(logits, builder().topP(0.7f).build(), NONE, NONE);
        assertDrawsFollow(logits, builder().topP(0.05f).build(), NONE, NONE);
        assertDrawsFollow(logits, builder().topK(5).build(), NONE, NONE);
        assertDrawsFollow(logits, builder().topK(600).build(), NONE, NONE);
        assertDrawsFollow(logits, builder().topK(5000).build(), NONE, NONE);
        assertDrawsFollow(logits, builder().minP(0.2f).build(), NONE, NONE);
        assertDrawsFollow(logits, builder().topK(20).topP(0.6f).minP(0.1f).build(), NONE, NONE);
    }

    @Test
    void equalLogitsAreCutFromTheHighestIdDown() {
        float[] logits = new float[1500];
        for (SamplingParams sampling : new SamplingParams[] {
            builder().topK(10).build(),
            builder().topP(9.5f / 1500).build(),
            builder().topK(20).topP(0.475f).build()
        }) {
            Set<Integer> drawn = new TreeSet<>();
            for (int place = 0; place < 400; place++) {
                drawn.add(draw(logits, sampling, NONE, NONE, place));
            }
            assertThat(drawn).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
        }
    }

    @Test
    void aTinyTopPOrAMinPOfOneTakesTheLargest() {
        float[] logits = logits(new Random(5), 2000, 3);
        int best = draw(logits, builder().temperature(0).build(), NONE, NONE, 0);
        for (int place = 0; place < 50; place++) {
            assertThat(draw(logits, builder().topP(Float.MIN_VALUE).build(), NONE, NONE, place))
                    .isEqualTo(best);
            assertThat(draw(logits, builder().minP(1).build(), NONE, NONE, place))
                    .isEqualTo(best);
            assertThat(draw(logits, builder().topK(1).build(), NONE, NONE, place))
                    .isEqualTo(best);
            assertThat(draw(logits, builder().temperature(1e-7f).build(), NONE, NONE, place))
                    .isEqualTo(best);
            assertThat(draw(logits, builder().temperature(1e-4f).build(), NONE, NONE, place))
                    .isEqualTo(best);
        }
    }

    @Test
    void theSameSeedAndPlaceDrawTheSameTokenAndOthersDoNot() {
        float[] logits = new float[5000];
        Sampler sampler = new Sampler(5000);
        int same = 0;
        for (int place = 0; place < 200; place++) {
            int first = draw(sampler, logits, builder().build(), new TokenDraws(11), place);
            assertThat(draw(sampler, logits, builder().build(), new TokenDraws(11), place))
                    .isEqualTo(first);
            same += first == draw(sampler, logits, builder().build(), new TokenDraws(12), place) ? 1 : 0;
            same += first == draw(sampler, logits, builder().build(), new TokenDraws(11), place + 1) ? 1 : 0;
        }
        assertThat(same).isLessThan(5);
    }

    @Test
    void endTokensAreMaskedBeforeMinTokens() {
        float[] logits = {0, 1, 2, 9, 8};
        SamplingParams sampling = builder()
                .temperature(0)
                .minTokens(3)
                .eosTokens(Set.of(3, 77))
                .stopTokens(Set.of(4))
                .build();
        assertThat(draw(logits, sampling, NONE, new int[] {0, 1}, 2)).isEqualTo(2);
        assertThat(draw(logits, sampling, NONE, new int[] {0, 1, 2}, 3)).isEqualTo(3);
    }

    @Test
    void logitBiasBansAndForces() {
        float[] logits = logits(new Random(3), 300, 1);
        SamplingParams ban =
                builder().temperature(0).logitBias(Map.of(17, -100f)).build();
        logits[17] = 50;
        assertThat(draw(logits, ban, NONE, NONE, 0)).isNotEqualTo(17);
        SamplingParams force = builder().logitBias(Map.of(250, 200f)).build();
        for (int place = 0; place < 50; place++) {
            assertThat(draw(logits, force, NONE, NONE, place)).isEqualTo(250);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void logprobsAreTheModelsOwnWhateverChangesTheChoice(long seed) {
        Random random = new Random(seed);
        int vocab = 30 + random.nextInt(3000);
        float[] logits = logits(random, vocab, 3);
        double[] expected = NaiveSampler.logprobs(logits);
        int[] byLogprob = IntStream.range(0, vocab)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -expected[i]))
                .mapToInt(i -> i)
                .toArray();
        SamplingParams sampling = builder()
                .temperature(1.3f)
                .repetitionPenalty(1.5f)
                .frequencyPenalty(1)
                .logitBias(Map.of(3, 4f, byLogprob[0], -3f))
                .topLogprobs(20)
                .build();
        int[] prompt = random.ints(30, 0, vocab).toArray();
        for (int place = 0; place < 20; place++) {
            TokenCounts counts = new TokenCounts(prompt);
            Sampled sampled = Objects.requireNonNull(
                    new Sampler(vocab).sample(segment(logits), 0, sampling, counts, null, place, new TokenDraws(seed)));
            Logprobs logprobs = Objects.requireNonNull(sampled.logprobs());
            assertThat((double) logprobs.chosen()).isCloseTo(expected[sampled.token()], within(1e-5));
            assertThat(logprobs.topTokens()).isEqualTo(Arrays.copyOf(byLogprob, 20));
            for (int i = 0; i < 20; i++) {
                assertThat((double) logprobs.top()[i]).isCloseTo(expected[byLogprob[i]], within(1e-5));
            }
        }
    }

    @Test
    void noTopLogprobsStillGivesThatOfTheChosen() {
        Sampled sampled = Objects.requireNonNull(new Sampler(3)
                .sample(
                        segment(new float[] {0, 0, 0}),
                        0,
                        builder().topLogprobs(0).build(),
                        null,
                        null,
                        0,
                        new TokenDraws(1)));
        Logprobs logprobs = Objects.requireNonNull(sampled.logprobs());
        assertThat((double) logprobs.chosen()).isCloseTo(-Math.log(3), within(1e-6));
        assertThat(logprobs.topTokens()).isEmpty();
    }

    @Test
    void maskedLogitsAreNeverDrawn() {
        float[] logits = new float[1200];
        Arrays.fill(logits, Float.NEGATIVE_INFINITY);
        logits[1111] = -3;
        logits[3] = -4;
        for (SamplingParams sampling : new SamplingParams[] {
            builder().temperature(100).build(),
            builder().topK(500).build(),
            builder().topP(0.99f).build()
        }) {
            for (int place = 0; place < 100; place++) {
                assertThat(draw(logits, sampling, NONE, NONE, place)).isIn(3, 1111);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 5, 511, 512, 1029})
    void aRowWithNaNFails(int place) {
        float[] logits = logits(new Random(1), 1030, 1);
        logits[place] = Float.NaN;
        assertThatThrownBy(() -> draw(logits, builder().temperature(0).build(), NONE, NONE, 0))
                .isInstanceOf(StepException.class)
                .hasMessageContaining("not finite");
        logits[place] = Float.POSITIVE_INFINITY;
        assertThatThrownBy(() -> draw(logits, builder().build(), NONE, NONE, 0)).hasMessageContaining("not finite");
    }

    @Test
    void aRowWithNothingLeftFails() {
        SamplingParams sampling = builder().minTokens(1).eosTokens(Set.of(0, 1)).build();
        assertThatThrownBy(() -> draw(new float[2], sampling, NONE, NONE, 0))
                .isInstanceOf(StepException.class)
                .hasMessageContaining("no token is left");
    }

    private static void assertDrawsFollow(float[] logits, SamplingParams sampling, int[] prompt, int[] completion) {
        double[] expected = NaiveSampler.probabilities(logits, sampling, prompt, completion);
        int draws = 10_000;
        Map<Integer, Integer> seen = new TreeMap<>();
        Sampler sampler = new Sampler(logits.length);
        for (int i = 0; i < draws; i++) {
            TokenCounts counts = new TokenCounts(prompt);
            Arrays.stream(completion).forEach(counts::sampled);
            int token = Objects.requireNonNull(sampler.sample(
                            segment(logits), 0, sampling, counts, null, completion.length, new TokenDraws(1000 + i)))
                    .token();
            seen.merge(token, 1, Integer::sum);
        }
        assertThat(seen.keySet())
                .allSatisfy(token -> assertThat(expected[token])
                        .as("probability of " + token)
                        .isPositive());
        // Pearson's chi-square, with the rare tokens together so that each class is expected at least five times.
        double chi = 0;
        int classes = 0;
        double rareExpected = 0;
        double rareSeen = 0;
        for (int token = 0; token < expected.length; token++) {
            double times = draws * expected[token];
            int found = seen.getOrDefault(token, 0);
            if (times >= 5) {
                chi += (found - times) * (found - times) / times;
                classes++;
            } else {
                rareExpected += times;
                rareSeen += found;
            }
        }
        if (rareExpected >= 5) {
            chi += (rareSeen - rareExpected) * (rareSeen - rareExpected) / rareExpected;
            classes++;
        }
        double freedom = Math.max(1, classes - 1);
        assertThat(chi)
                .as("chi-square of %s over %d classes", sampling, classes)
                .isLessThan(freedom + 4.5 * Math.sqrt(2 * freedom) + 5);
    }

    private static SamplingParams randomParams(Random random, int vocab) {
        SamplingParams.Builder builder = builder().temperature(0.3f + 1.5f * random.nextFloat());
        if (random.nextBoolean()) {
            builder.topP(0.05f + 0.94f * random.nextFloat());
        }
        if (random.nextBoolean()) {
            builder.topK(1 + random.nextInt(random.nextBoolean() ? 20 : 2 * vocab));
        }
        if (random.nextInt(3) == 0) {
            builder.minP(0.3f * random.nextFloat());
        }
        if (random.nextBoolean()) {
            builder.repetitionPenalty(0.7f + random.nextFloat());
        }
        if (random.nextBoolean()) {
            builder.frequencyPenalty(4 * random.nextFloat() - 2).presencePenalty(4 * random.nextFloat() - 2);
        }
        if (random.nextBoolean()) {
            builder.logitBias(Map.of(random.nextInt(vocab), 3f));
        }
        if (vocab > 4 && random.nextBoolean()) {
            builder.minTokens(random.nextInt(20)).eosTokens(Set.of(1, 2));
        }
        return builder.build();
    }

    private static SamplingParams.Builder builder() {
        return SamplingParams.builder(100);
    }

    private static float[] logits(Random random, int vocab, float spread) {
        float[] logits = new float[vocab];
        for (int i = 0; i < vocab; i++) {
            logits[i] = spread * (float) random.nextGaussian() - 2;
        }
        return logits;
    }

    private static int draw(float[] logits, SamplingParams sampling, int[] prompt, int[] completion, int place) {
        TokenCounts counts = new TokenCounts(prompt);
        Arrays.stream(completion).forEach(counts::sampled);
        Sampler sampler = new Sampler(logits.length);
        return Objects.requireNonNull(
                        sampler.sample(segment(logits), 0, sampling, counts, null, place, new TokenDraws(42)))
                .token();
    }

    private static int draw(Sampler sampler, float[] logits, SamplingParams sampling, TokenDraws draws, int place) {
        return Objects.requireNonNull(sampler.sample(segment(logits), 0, sampling, null, null, place, draws))
                .token();
    }

    /** The row in native memory, where a runner's logits lie; valid until the next call. */
    private static MemorySegment segment(float[] logits) {
        return ROW.asSlice(0, 4L * logits.length).copyFrom(MemorySegment.ofArray(logits));
    }
}
