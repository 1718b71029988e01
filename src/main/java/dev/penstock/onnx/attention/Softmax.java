package dev.penstock.onnx.attention;

import static dev.penstock.onnx.attention.NativeMemory.FLOATS;
import static dev.penstock.onnx.attention.NativeMemory.LANES;
import static dev.penstock.onnx.attention.NativeMemory.load;
import static dev.penstock.onnx.attention.NativeMemory.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Softmax over keys that arrive in chunks, with a running maximum and a running sum (Milakov and Gimelshein, "Online
 * normalizer calculation for softmax", 2018). Scores come in units of log2(e), so that powers are powers of two.
 */
final class Softmax {
    /** Scores are multiplied by this, the binary logarithm of e. */
    static final float LOG2_E = 1.44269504f;

    private Softmax() {}

    /** {@code c * tanh(score / c)} for scores up to the next multiple of 16, all in units of log2(e). */
    static void cap(long scores, int count, float softcap) {
        int padded = padded(count);
        float twice = 2 / softcap; // in the exponent of two: score and c have the same unit, e^y = 2^(y log2(e))
        for (int i = 0; i < padded; i += LANES) {
            long a = scores + i * 4L;
            // tanh(y) = 1 - 2 / (exp(2y) + 1); the bound keeps exp finite where tanh is 1 in a float anyway.
            FloatVector y = load(a).mul(twice).min(60f);
            FloatVector tanh = FloatVector.broadcast(FLOATS, 1f)
                    .sub(FloatVector.broadcast(FLOATS, 2f).div(exp2(y).add(1f)));
            store(tanh.mul(softcap * LOG2_E), a);
        }
    }

    /**
     * Turns a row's chunk of scores into weights, with those outside of [from, to) being 0, and updates the row's state.
     *
     * @param scores [count], readable and writable up to the next multiple of 16
     * @param state two floats: running maximum and running sum
     * @param sums the row's weighted values so far, [headSize]: scaled down where the maximum grew
     */
    static void update(long scores, int count, int from, int to, long state, long sums, int headSize) {
        int padded = padded(count);
        if (from >= to) {
            NativeMemory.fill(scores, padded, 0f);
            return;
        }
        if (from > 0) {
            NativeMemory.fill(scores, from, Float.NEGATIVE_INFINITY);
        }
        if (to < padded) {
            NativeMemory.fill(scores + to * 4L, padded - to, Float.NEGATIVE_INFINITY);
        }
        FloatVector top = load(scores);
        for (int i = LANES; i < padded; i += LANES) {
            top = top.max(load(scores + i * 4L));
        }
        float before = NativeMemory.getFloat(state);
        float maximum = Math.max(before, top.reduceLanes(VectorOperators.MAX));
        float sum = NativeMemory.getFloat(state + 4);
        if (maximum > before && before != Float.NEGATIVE_INFINITY) {
            float shrink = power(before - maximum);
            sum *= shrink;
            scale(sums, headSize, shrink);
        }
        FloatVector total = FloatVector.zero(FLOATS);
        for (int i = 0; i < padded; i += LANES) {
            FloatVector e = exp2(load(scores + i * 4L).sub(maximum));
            store(e, scores + i * 4L);
            total = total.add(e);
        }
        NativeMemory.setFloat(state, maximum);
        NativeMemory.setFloat(state + 4, sum + total.reduceLanes(VectorOperators.ADD));
    }

    /** Adds a row's result over other keys to its result so far: maximum, sum and weighted values. */
    static void merge(long state, long sums, long otherState, long otherSums, int headSize) {
        float maximum = NativeMemory.getFloat(state);
        float otherMaximum = NativeMemory.getFloat(otherState);
        float both = Math.max(maximum, otherMaximum);
        if (both == Float.NEGATIVE_INFINITY) {
            return;
        }
        float shrink = power(maximum - both);
        float otherShrink = power(otherMaximum - both);
        for (int i = 0; i < headSize; i++) {
            long a = sums + i * 4L;
            NativeMemory.setFloat(
                    a, NativeMemory.getFloat(a) * shrink + NativeMemory.getFloat(otherSums + i * 4L) * otherShrink);
        }
        NativeMemory.setFloat(state, both);
        NativeMemory.setFloat(
                state + 4,
                NativeMemory.getFloat(state + 4) * shrink + NativeMemory.getFloat(otherState + 4) * otherShrink);
    }

    /** Multiplies {@code count} floats, a multiple of 8. */
    static void scale(long address, int count, float factor) {
        int i = 0;
        for (; i + LANES <= count; i += LANES) {
            store(load(address + i * 4L).mul(factor), address + i * 4L);
        }
        for (; i < count; i++) {
            NativeMemory.setFloat(address + i * 4L, NativeMemory.getFloat(address + i * 4L) * factor);
        }
    }

    private static int padded(int count) {
        return (count + AttentionCall.KEY_GROUP - 1) & -AttentionCall.KEY_GROUP;
    }

    /** 2 to the power of x; 0 for negative infinity. */
    private static float power(float x) {
        return (float) Math.exp(x * 0.6931471805599453);
    }

    /**
     * 2 to the power of each lane, to about 2 units in the last place, for lanes below 128; about 1e-38, which counts as
     * nothing beside the 1 of the maximum, from -126 down and for negative infinity. The nearest integer n goes into the
     * exponent, the rest r of at most 1/2 into the series of 2^r.
     */
    static FloatVector exp2(FloatVector x) {
        FloatVector bounded = x.max(-126f);
        // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the lowest bits.
        FloatVector shifted = bounded.add(12582912f);
        FloatVector r = bounded.sub(shifted.sub(12582912f));
        FloatVector p = FloatVector.broadcast(FLOATS, 1.5403530e-4f)
                .fma(r, FloatVector.broadcast(FLOATS, 1.3333558e-3f))
                .fma(r, FloatVector.broadcast(FLOATS, 9.6181291e-3f))
                .fma(r, FloatVector.broadcast(FLOATS, 5.5504109e-2f))
                .fma(r, FloatVector.broadcast(FLOATS, 2.4022651e-1f))
                .fma(r, FloatVector.broadcast(FLOATS, 6.9314718e-1f))
                .fma(r, FloatVector.broadcast(FLOATS, 1f));
        IntVector exponent = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
        return p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
    }
}
