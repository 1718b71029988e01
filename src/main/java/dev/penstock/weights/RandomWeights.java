package dev.penstock.weights;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Seeded random numbers in place of a checkpoint, so that the speed of a shape can be measured without its weights.
 * Uniform, scaled by the width of each matrix so that activations keep their size from layer to layer; number
 * {@code i} of a tensor is a hash of seed, name and {@code i}, whoever asks for it in whatever order.
 */
final class RandomWeights implements WeightSource {
    private final long seed;
    private final Map<String, Spread> spreads = new ConcurrentHashMap<>();

    /** Numbers of a tensor are {@code mean} plus or minus {@code width}. */
    private record Spread(float mean, float width) {}

    /** The same seed gives the same numbers. */
    RandomWeights(long seed) {
        this.seed = seed;
    }

    @Override
    public boolean has(String tensor) {
        return true;
    }

    @Override
    public void require(String tensor, long... shape) {
        // A uniform distribution's deviation is its half width over the root of 3.
        spreads.put(
                tensor,
                shape.length == 1
                        ? new Spread(1, 0.1f)
                        : new Spread(0, (float) Math.sqrt(3.0 / shape[shape.length - 1])));
    }

    @Override
    public void read(String tensor, long start, float[] to, int toIndex, int count) {
        Spread spread = spreads.get(tensor);
        if (spread == null) {
            throw new IllegalArgumentException("tensor " + tensor + " was not required");
        }
        // The index is cut to 32 bits: a tensor of more numbers repeats itself.
        int salt = Arrays.hashCode(new long[] {seed, tensor.hashCode()});
        fill(to, toIndex, count, (int) start, salt, spread.mean, spread.width * 0x1p-31f);
    }

    /** The 32-bit finalizer of MurmurHash3, in a loop that the compiler turns into vector code. */
    private static void fill(float[] to, int toIndex, int count, int first, int salt, float mean, float unit) {
        for (int i = 0; i < count; i++) {
            int h = (first + i) * 0x9e3779b1 + salt;
            h = (h ^ (h >>> 16)) * 0x85ebca6b;
            h = (h ^ (h >>> 13)) * 0xc2b2ae35;
            to[toIndex + i] = mean + unit * (h ^ (h >>> 16));
        }
    }

    @Override
    public void close() {}
}
