package dev.penstock.ops.simulate;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;

/**
 * A mean with its interval of 95 %, by the percentile bootstrap.
 *
 * @param mean of the values
 * @param low 2.5 % of resampled means are below
 * @param high 2.5 % of resampled means are above
 */
record Confidence(double mean, double low, double high) {
    private static final int RESAMPLES = 2000;

    static Confidence of(DoubleStream stream) {
        double[] values = stream.toArray();
        SplittableRandom random = new SplittableRandom(values.length);
        double[] means = new double[RESAMPLES];
        for (int i = 0; i < RESAMPLES; i++) {
            double sum = 0;
            for (int j = 0; j < values.length; j++) {
                sum += values[random.nextInt(values.length)];
            }
            means[i] = sum / values.length;
        }
        Arrays.sort(means);
        return new Confidence(
                Arrays.stream(values).average().orElse(Double.NaN),
                means[RESAMPLES * 25 / 1000],
                means[RESAMPLES * 975 / 1000 - 1]);
    }
}
