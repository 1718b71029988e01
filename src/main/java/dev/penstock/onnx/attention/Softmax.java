package dev.penstock.onnx.attention;

import static dev.penstock.onnx.attention.NativeMemory.FLOATS;
import static dev.penstock.onnx.attention.NativeMemory.VECTOR_BYTES;
import static dev.penstock.onnx.attention.NativeMemory.load;
import static dev.penstock.onnx.attention.NativeMemory.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Softmax over keys that arrive in chunks, with a running maximum and a running sum (Milakov and Gimelshein, "Online
 * normalizer calculation for softmax", 2018).
 */
final class Softmax {
    private Softmax() {}

    /** {@code c * tanh(score / c)} for scores up to the next multiple of 16. */
    static void cap(long scores, int count, float softcap) {
        long end = scores + padded(count) * 4L;
        float twice = 2 / softcap;
        for (long a = scores; a < end; a += VECTOR_BYTES) {
            // tanh(y) = 1 - 2 / (exp(2y) + 1); the bound keeps exp finite where tanh is 1 in a float anyway.
            FloatVector y = load(a).mul(twice).min(40f);
            FloatVector tanh = FloatVector.broadcast(FLOATS, 1f)
                    .sub(FloatVector.broadcast(FLOATS, 2f).div(exp(y).add(1f)));
            store(tanh.mul(softcap), a);
        }
    }

    /**
     * Turns a row's chunk of scores into weights, with those outside of [from, to) being 0, and updates the row's state.
     *
     * @param scores [count], readable and writable up to the next multiple of 16
     * @param state two floats: running maximum and running sum
     * @param sums the row's weighted values so far, [headSize]: scaled down where the maximum grew
     * @return whether any weight of the chunk is not 0
     */
    static boolean update(long scores, int count, int from, int to, long state, long sums, int headSize) {
        int padded = padded(count);
        if (from >= to) {
            NativeMemory.fill(scores, padded, 0f);
            return false;
        }
        if (from > 0) {
            NativeMemory.fill(scores, from, Float.NEGATIVE_INFINITY);
        }
        if (to < padded) {
            NativeMemory.fill(scores + to * 4L, padded - to, Float.NEGATIVE_INFINITY);
        }
        long end = scores + padded * 4L;
        FloatVector top = load(scores);
        for (long a = scores + VECTOR_BYTES; a < end; a += VECTOR_BYTES) {
            top = top.max(load(a));
        }
        float before = NativeMemory.getFloat(state);
        float maximum = Math.max(before, top.reduceLanes(VectorOperators.MAX));
        float sum = NativeMemory.getFloat(state + 4);
        if (maximum > before && before != Float.NEGATIVE_INFINITY) {
            float shrink = (float) Math.exp(before - maximum);
            sum *= shrink;
            scale(sums, headSize, shrink);
        }
        FloatVector total = FloatVector.zero(FLOATS);
        for (long a = scores; a < end; a += VECTOR_BYTES) {
            FloatVector e = exp(load(a).sub(maximum));
            store(e, a);
            total = total.add(e);
        }
        NativeMemory.setFloat(state, maximum);
        NativeMemory.setFloat(state + 4, sum + total.reduceLanes(VectorOperators.ADD));
        return true;
    }

    /** Adds a row's result over other keys to its result so far: maximum, sum and weighted values. */
    static void merge(long state, long sums, long otherState, long otherSums, int headSize) {
        float maximum = NativeMemory.getFloat(state);
        float otherMaximum = NativeMemory.getFloat(otherState);
        float both = Math.max(maximum, otherMaximum);
        if (both == Float.NEGATIVE_INFINITY) {
            return;
        }
        float shrink = (float) Math.exp(maximum - both);
        float otherShrink = (float) Math.exp(otherMaximum - both);
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
        for (; i + NativeMemory.LANES <= count; i += NativeMemory.LANES) {
            store(load(address + i * 4L).mul(factor), address + i * 4L);
        }
        for (; i < count; i++) {
            NativeMemory.setFloat(address + i * 4L, NativeMemory.getFloat(address + i * 4L) * factor);
        }
    }

    private static int padded(int count) {
        return (count + AttentionCall.KEY_GROUP - 1) & -AttentionCall.KEY_GROUP;
    }

    /**
     * e to the power of each lane, to about 2 units in the last place; exactly 0 from -88.1 down, so for negative
     * infinity. x = n ln 2 + r, with ln 2 in two parts so that r is exact, and a polynomial for e^r (Cephes, expf).
     */
    static FloatVector exp(FloatVector x) {
        FloatVector bounded = x.max(-88.1f);
        // Adding and taking away 1.5 * 2^23 rounds to the nearest integer.
        FloatVector n = bounded.mul(1.44269504f).add(12582912f).sub(12582912f);
        FloatVector r =
                n.fma(FloatVector.broadcast(FLOATS, -0.693359375f), bounded).sub(n.mul(-2.12194440e-4f));
        FloatVector p = FloatVector.broadcast(FLOATS, 1.9875691500e-4f)
                .fma(r, FloatVector.broadcast(FLOATS, 1.3981999507e-3f))
                .fma(r, FloatVector.broadcast(FLOATS, 8.3334519073e-3f))
                .fma(r, FloatVector.broadcast(FLOATS, 4.1665795894e-2f))
                .fma(r, FloatVector.broadcast(FLOATS, 1.6666665459e-1f))
                .fma(r, FloatVector.broadcast(FLOATS, 5.0000001201e-1f));
        p = p.fma(r.mul(r), r).add(1f);
        IntVector exponent = (IntVector) n.convert(VectorOperators.F2I, 0);
        return p.mul(exponent.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
    }
}
