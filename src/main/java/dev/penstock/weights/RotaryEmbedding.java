package dev.penstock.weights;

/**
 * The rotary position embedding of a model (Su et al. 2021), in the half-split layout of Hugging Face: number {@code i}
 * of a head turns with number {@code i + headSize / 2}.
 *
 * @param theta base of the frequencies
 * @param scaling how they are stretched
 */
public record RotaryEmbedding(double theta, RopeScaling scaling) {

    /** The angle by which each pair turns from one position to the next, [headSize / 2] radians. */
    public double[] frequencies(int headSize) {
        double[] frequencies = new double[headSize / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = scaled(Math.pow(theta, -2.0 * i / headSize));
        }
        return frequencies;
    }

    private double scaled(double frequency) {
        return switch (scaling) {
            case RopeScaling.None() -> frequency;
            case RopeScaling.Linear(double factor) -> frequency / factor;
            case RopeScaling.Llama3(double factor, double low, double high, int original) -> {
                double turns = original * frequency / (2 * Math.PI);
                // 0 where the wavelength is long, 1 where it is short, a line between.
                double keep = Math.clamp((turns - low) / (high - low), 0, 1);
                yield (1 - keep) * frequency / factor + keep * frequency;
            }
        };
    }
}
