package dev.penstock.ops.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class DivergenceTest {
    @Test
    void perplexityDivergenceAndAgreementAreThoseOfTheirDefinitions() {
        // Probabilities 1/2, 1/4, 1/4 against 1/4, 1/2, 1/4; then equal rows. Logits may be shifted by anything.
        MemorySegment p = logits(shifted(5, 2, 1, 1), shifted(-3, 1, 1, 2));
        MemorySegment q = logits(shifted(0, 1, 2, 1), shifted(9, 1, 1, 2));
        Divergence divergence = new Divergence(3);
        divergence.add(p, q, new int[] {0, 2});

        assertThat(divergence.tokens()).isEqualTo(2);
        assertThat(divergence.perplexity()).isCloseTo(Math.sqrt(4 * 2), within(1e-6));
        assertThat(divergence.meanDivergence()).isCloseTo((0.5 * Math.log(2) - 0.25 * Math.log(2)) / 2, within(1e-6));
        assertThat(divergence.agreement()).isEqualTo(0.5);
    }

    @Test
    void hugeLogitsDoNotOverflow() {
        MemorySegment p = MemorySegment.ofArray(new float[] {1000, -1000, 999});
        Divergence divergence = new Divergence(3);
        divergence.add(p, p, new int[] {0});
        assertThat(divergence.perplexity()).isCloseTo(1 + Math.exp(-1), within(1e-9));
        assertThat(divergence.meanDivergence()).isZero();
    }

    /** Logarithms of weights, plus a number that makes no difference. */
    private static float[] shifted(float shift, double... weights) {
        float[] row = new float[weights.length];
        for (int i = 0; i < row.length; i++) {
            row[i] = (float) Math.log(weights[i]) + shift;
        }
        return row;
    }

    private static MemorySegment logits(float[] first, float[] second) {
        float[] all = new float[first.length + second.length];
        System.arraycopy(first, 0, all, 0, first.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return MemorySegment.ofArray(all);
    }
}
