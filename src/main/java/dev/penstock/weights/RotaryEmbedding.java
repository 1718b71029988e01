package dev.penstock.weights;

/**
 * The rotary position embedding of a model (Su et al. 2021).
 *
 * @param theta base of the frequencies
 * @param scaling how they are stretched
 * @param width numbers of a head that turn, the first ones; even
 * @param interleaved whether numbers {@code 2 i} and {@code 2 i + 1} turn together, not {@code i} and
 *     {@code i + width / 2}
 */
public record RotaryEmbedding(double theta, RopeScaling scaling, int width, boolean interleaved) {

    /**
     * The angle by which each pair turns from one position to the next, [width / 2] radians.
     *
     * @param context positions that there will be
     */
    public double[] frequencies(int context) {
        double[] frequencies = new double[width / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = scaled(Math.pow(theta, -2.0 * i / width), i, context);
        }
        return frequencies;
    }

    /** What rotated queries and keys are multiplied by. */
    public double magnitude() {
        return scaling instanceof RopeScaling.LongRope longRope ? longRope.magnitude() : 1;
    }

    private double scaled(double frequency, int index, int context) {
        return switch (scaling) {
            case RopeScaling.None() -> frequency;
            case RopeScaling.Linear(double factor) -> frequency / factor;
            case RopeScaling.Llama3(double factor, double low, double high, int original) -> {
                double turns = original * frequency / (2 * Math.PI);
                // 0 where the wavelength is long, 1 where it is short, a line between.
                double keep = Math.clamp((turns - low) / (high - low), 0, 1);
                yield (1 - keep) * frequency / factor + keep * frequency;
            }
            case RopeScaling.LongRope(var shortFactors, var longFactors, int original, double _) ->
                frequency / (context > original ? longFactors : shortFactors).get(index);
        };
    }
}
