package dev.penstock.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class StepTimeModelTest {
    private static final double[] TRUTH = {0.02, 2e-4, 1e-8, 5e-4, 2e-7, 1e-4};
    private final SplittableRandom random = new SplittableRandom(1);

    private static double truth(double c, double ctx, double b, double k) {
        return TRUTH[0]
                + TRUTH[1] * c
                + TRUTH[2] * c * ctx
                + TRUTH[3] * b
                + TRUTH[4] * k
                + TRUTH[5] * Math.max(0, c - 64);
    }

    private void mixed(StepTimeModel model, int samples, double factor) {
        for (int i = 0; i < samples; i++) {
            double c = random.nextInt(5) * 64;
            double ctx = random.nextInt(4000);
            double b = random.nextInt(16);
            double k = b * random.nextInt(2000);
            double noise = Math.exp(0.03 * random.nextGaussian());
            model.observe(c, ctx, b, k, factor * noise * truth(c, ctx, b, k));
        }
    }

    @Test
    void itLearnsStepsFromAWrongSeed() {
        StepTimeModel model = new StepTimeModel(256, 1, 0.1, 0, 0, 0, 0);
        mixed(model, 600, 1);
        assertThat(model.seconds(256, 1000, 8, 8000))
                .isCloseTo(truth(256, 1000, 8, 8000), Percentage.withPercentage(3));
        assertThat(model.seconds(0, 0, 1, 500)).isCloseTo(truth(0, 0, 1, 500), Percentage.withPercentage(3));
        assertThat(Arrays.stream(model.coefficients()).min().orElseThrow()).isNotNegative();
    }

    @Test
    void manyDecodingStepsDoNotUnlearnPrompts() {
        StepTimeModel model = new StepTimeModel(256, TRUTH);
        mixed(model, 300, 1);
        for (int i = 0; i < 20_000; i++) {
            double k = random.nextInt(4000);
            model.observe(0, 0, 4, k, truth(0, 0, 4, k));
        }
        assertThat(model.seconds(256, 1000, 4, 4000))
                .isCloseTo(truth(256, 1000, 4, 4000), Percentage.withPercentage(4));
    }

    @Test
    void aMachineThatSlowsDownIsFollowed() {
        StepTimeModel model = new StepTimeModel(256, TRUTH);
        mixed(model, 600, 1);
        mixed(model, 4000, 1.5);
        assertThat(model.seconds(128, 500, 4, 2000))
                .isCloseTo(1.5 * truth(128, 500, 4, 2000), Percentage.withPercentage(5));
    }

    @Test
    void slowFirstStepsAndNonsenseAreNotLearned() {
        StepTimeModel model = new StepTimeModel(256, TRUTH);
        double before = model.seconds(0, 0, 2, 100);
        for (int i = 0; i < 4; i++) {
            model.observe(0, 0, 2, 100, 50);
        }
        for (int i = 0; i < 100; i++) {
            model.observe(0, 0, 2, 100, Double.NaN);
            model.observe(0, 0, 2, 100, -1);
        }
        assertThat(model.seconds(0, 0, 2, 100)).isCloseTo(before, within(1e-12));
    }
}
