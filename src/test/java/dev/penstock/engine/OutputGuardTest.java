package dev.penstock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.penstock.model.OutputFollower;
import dev.penstock.model.SamplingParams;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OutputGuardTest {
    private static final int VOCAB = 70;
    private static final int EOS = 69;

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 16, 63, 64, 65, 200, 1030})
    void aMaskLeavesItsTokensAndNoOthers(int vocab) {
        Random random = new Random(vocab);
        LogitRow row = new LogitRow(vocab);
        try (Arena arena = Arena.ofConfined()) {
            for (int round = 0; round < 20; round++) {
                MemorySegment logits = arena.allocate(ValueLayout.JAVA_FLOAT, vocab);
                long[] words = random.longs(random.nextInt(vocab / 64 + 2)).toArray();
                row.open(logits, 0);
                row.keep(words);
                for (int token = 0; token < vocab; token++) {
                    boolean kept = token / 64 < words.length && (words[token / 64] >>> (token % 64) & 1) != 0;
                    assertThat(row.get(token)).isEqualTo(kept ? 0 : Float.NEGATIVE_INFINITY);
                }
            }
        }
    }

    @Test
    void drawsFollowTheModelGivenThatTheTextClosesInTime() {
        // At depth 1 with one token to come after the next: another opening bracket is allowed, but leads too far.
        Random random = new Random(1);
        float[] logits = new float[VOCAB];
        for (int token = 0; token < VOCAB; token++) {
            logits[token] = 3 * random.nextFloat();
        }
        SamplingParams sampling =
                SamplingParams.builder(4).eosTokens(Set.of(EOS)).build();
        double total = 0;
        for (int token = 1; token < 10; token++) {
            total += Math.exp(logits[token]);
        }
        int[] seen = new int[VOCAB];
        int draws = 20_000;
        Sampler sampler = new Sampler(VOCAB);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment row = arena.allocate(ValueLayout.JAVA_FLOAT, VOCAB);
            for (int i = 0; i < draws; i++) {
                OutputFollower follower = new Brackets(true).follow();
                OutputGuard guard = new OutputGuard(follower, sampling, VOCAB, 3);
                guard.accept(Brackets.OPEN);
                row.copyFrom(MemorySegment.ofArray(logits));
                Sampler.Sampled sampled = sampler.sample(row, 0, sampling, null, guard, 1, new TokenDraws(i));
                seen[Objects.requireNonNull(sampled).token()]++;
            }
        }
        for (int token = 0; token < VOCAB; token++) {
            double expected = token >= 1 && token < 10 ? Math.exp(logits[token]) / total : 0;
            double deviation = Math.sqrt(expected * (1 - expected) / draws);
            assertThat((double) seen[token] / draws).isCloseTo(expected, within(4.5 * deviation));
        }
    }

    @Test
    void anEndIsTakenWhereNothingElseClosesInTime() {
        SamplingParams sampling = SamplingParams.builder(3)
                .temperature(0)
                .eosTokens(Set.of(EOS, 1 << 30))
                .build();
        OutputGuard guard = new OutputGuard(new Brackets(true).follow(), sampling, VOCAB, 3);
        guard.accept(Brackets.OPEN);
        guard.accept(Brackets.CLOSE);
        assertThat(guard.allowed(2)).containsExactly(1, 1L << (EOS - 64));
        assertThat(guard.leadsTooFar(Brackets.OPEN, 2)).isTrue();
        assertThat(guard.leadsTooFar(EOS, 2)).isFalse();
        assertThat(guard.closing(2)).containsExactly(0, 1L << (EOS - 64));
        SamplingParams unended =
                SamplingParams.builder(3).eosTokens(Set.of(EOS)).ignoreEos(true).build();
        OutputGuard open = new OutputGuard(new Brackets(true).follow(), unended, VOCAB, 3);
        open.accept(Brackets.OPEN);
        open.accept(Brackets.CLOSE);
        assertThat(open.closing(2)).isEmpty();
    }
}
