package dev.penstock.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class ConformalBoundTest {
    private final SplittableRandom random = new SplittableRandom(7);
    private final ConformalBound bound = new ConformalBound(0.9, 2);

    private double heldOf(int cases, int bucket, DoubleUnaryOperator ratio) {
        int held = 0;
        for (int i = 0; i < cases; i++) {
            double then = bound.bound(bucket);
            double actual = ratio.applyAsDouble(random.nextGaussian());
            held += actual <= then ? 1 : 0;
            bound.observe(bucket, actual, then);
        }
        return held / (double) cases;
    }

    @Test
    void itHoldsInNineOfTenCasesWhateverTheDistribution() {
        assertThat(heldOf(3000, 0, g -> Math.exp(0.2 * g))).isCloseTo(0.9, Offset.offset(0.02));
        assertThat(heldOf(3000, 1, g -> 1 + 5 * g * g)).isCloseTo(0.9, Offset.offset(0.02));
        assertThat(bound.coverage()).isCloseTo(0.9, Offset.offset(0.02));
    }

    @Test
    void itComesBackAfterAChange() {
        heldOf(1000, 0, g -> Math.exp(0.1 * g));
        heldOf(300, 0, g -> 3 * Math.exp(0.4 * g));
        assertThat(heldOf(2000, 0, g -> 3 * Math.exp(0.4 * g))).isCloseTo(0.9, Offset.offset(0.02));
    }

    @Test
    void aBucketNotSeenBorrowsFromTheOthers() {
        heldOf(500, 0, g -> 2 * Math.exp(0.01 * g));
        assertThat(bound.expected(1)).isCloseTo(2, Offset.offset(0.1));
    }

    @Test
    void aRatioToNothingTellsNothing() {
        for (double ratio : new double[] {Double.NaN, -1, 0, Double.POSITIVE_INFINITY}) {
            heldOf(20, 0, g -> ratio);
        }
        assertThat(bound.seen()).isZero();
        assertThat(bound.bound(0)).isEqualTo(1.5);
    }
}
