package dev.penstock.onnx.attention;

import static dev.penstock.onnx.attention.NativeMemory.LANES;
import static dev.penstock.onnx.attention.NativeMemory.VECTOR_BYTES;
import static dev.penstock.onnx.attention.NativeMemory.broadcast;
import static dev.penstock.onnx.attention.NativeMemory.load;
import static dev.penstock.onnx.attention.NativeMemory.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Adds weighted value rows to the sums of query rows: a small matrix product, four rows by two vectors at a time. */
final class WeightedValues {
    /** Eight floats: what is left of a head where vectors hold sixteen. */
    private static final VectorSpecies<Float> EIGHT = FloatVector.SPECIES_256;

    private WeightedValues() {}

    /**
     * {@code sums[r] += weights[r][k] * values[k]}, over all k.
     *
     * @param weights first row's address; rows are {@code weightStride} bytes apart
     * @param values [keys, headSize]
     * @param sums [rows, headSize]
     */
    static void add(long weights, long weightStride, int rows, long values, int keys, int headSize, long sums) {
        long rowBytes = headSize * 4L;
        int row = 0;
        for (; row + 4 <= rows; row += 4) {
            long w = weights + row * weightStride;
            long s = sums + row * rowBytes;
            int i = 0;
            for (; i + 2 * LANES <= headSize; i += 2 * LANES) {
                fourRows(w, weightStride, values + i * 4L, rowBytes, keys, s + i * 4L);
            }
            for (; i + LANES <= headSize; i += LANES) {
                fourRowsNarrow(w, weightStride, values + i * 4L, rowBytes, keys, s + i * 4L);
            }
            if (i < headSize) {
                eight(w, weightStride, 4, values + i * 4L, rowBytes, keys, s + i * 4L);
            }
        }
        for (; row < rows; row++) {
            long w = weights + row * weightStride;
            long s = sums + row * rowBytes;
            int i = 0;
            for (; i + 4 * LANES <= headSize; i += 4 * LANES) {
                oneRow(w, values + i * 4L, rowBytes, keys, s + i * 4L);
            }
            for (; i + LANES <= headSize; i += LANES) {
                oneRowNarrow(w, values + i * 4L, rowBytes, keys, s + i * 4L);
            }
            if (i < headSize) {
                eight(w, weightStride, 1, values + i * 4L, rowBytes, keys, s + i * 4L);
            }
        }
    }

    private static void fourRows(long weight, long weightStride, long value, long rowBytes, int keys, long sum) {
        FloatVector a0 = load(sum);
        FloatVector a1 = load(sum + VECTOR_BYTES);
        FloatVector b0 = load(sum + rowBytes);
        FloatVector b1 = load(sum + rowBytes + VECTOR_BYTES);
        FloatVector c0 = load(sum + 2 * rowBytes);
        FloatVector c1 = load(sum + 2 * rowBytes + VECTOR_BYTES);
        FloatVector d0 = load(sum + 3 * rowBytes);
        FloatVector d1 = load(sum + 3 * rowBytes + VECTOR_BYTES);
        for (int k = 0; k < keys; k++) {
            long v = value + k * rowBytes;
            FloatVector v0 = load(v);
            FloatVector v1 = load(v + VECTOR_BYTES);
            long w = weight + k * 4L;
            FloatVector x = broadcast(w);
            a0 = x.fma(v0, a0);
            a1 = x.fma(v1, a1);
            x = broadcast(w + weightStride);
            b0 = x.fma(v0, b0);
            b1 = x.fma(v1, b1);
            x = broadcast(w + 2 * weightStride);
            c0 = x.fma(v0, c0);
            c1 = x.fma(v1, c1);
            x = broadcast(w + 3 * weightStride);
            d0 = x.fma(v0, d0);
            d1 = x.fma(v1, d1);
        }
        store(a0, sum);
        store(a1, sum + VECTOR_BYTES);
        store(b0, sum + rowBytes);
        store(b1, sum + rowBytes + VECTOR_BYTES);
        store(c0, sum + 2 * rowBytes);
        store(c1, sum + 2 * rowBytes + VECTOR_BYTES);
        store(d0, sum + 3 * rowBytes);
        store(d1, sum + 3 * rowBytes + VECTOR_BYTES);
    }

    private static void fourRowsNarrow(long weight, long weightStride, long value, long rowBytes, int keys, long sum) {
        FloatVector a = load(sum);
        FloatVector b = load(sum + rowBytes);
        FloatVector c = load(sum + 2 * rowBytes);
        FloatVector d = load(sum + 3 * rowBytes);
        for (int k = 0; k < keys; k++) {
            FloatVector v = load(value + k * rowBytes);
            long w = weight + k * 4L;
            a = broadcast(w).fma(v, a);
            b = broadcast(w + weightStride).fma(v, b);
            c = broadcast(w + 2 * weightStride).fma(v, c);
            d = broadcast(w + 3 * weightStride).fma(v, d);
        }
        store(a, sum);
        store(b, sum + rowBytes);
        store(c, sum + 2 * rowBytes);
        store(d, sum + 3 * rowBytes);
    }

    private static void oneRow(long weight, long value, long rowBytes, int keys, long sum) {
        FloatVector a0 = load(sum);
        FloatVector a1 = load(sum + VECTOR_BYTES);
        FloatVector a2 = load(sum + 2 * VECTOR_BYTES);
        FloatVector a3 = load(sum + 3 * VECTOR_BYTES);
        for (int k = 0; k < keys; k++) {
            FloatVector x = broadcast(weight + k * 4L);
            long v = value + k * rowBytes;
            a0 = x.fma(load(v), a0);
            a1 = x.fma(load(v + VECTOR_BYTES), a1);
            a2 = x.fma(load(v + 2 * VECTOR_BYTES), a2);
            a3 = x.fma(load(v + 3 * VECTOR_BYTES), a3);
        }
        store(a0, sum);
        store(a1, sum + VECTOR_BYTES);
        store(a2, sum + 2 * VECTOR_BYTES);
        store(a3, sum + 3 * VECTOR_BYTES);
    }

    private static void oneRowNarrow(long weight, long value, long rowBytes, int keys, long sum) {
        FloatVector a = load(sum);
        for (int k = 0; k < keys; k++) {
            a = broadcast(weight + k * 4L).fma(load(value + k * rowBytes), a);
        }
        store(a, sum);
    }

    private static void eight(
            long weights, long weightStride, int rows, long values, long rowBytes, int keys, long sums) {
        for (int row = 0; row < rows; row++) {
            long weight = weights + row * weightStride;
            FloatVector a = NativeMemory.load(EIGHT, sums + row * rowBytes);
            long value = values;
            for (int k = 0; k < keys; k++) {
                a = NativeMemory.broadcast(EIGHT, weight + k * 4L).fma(NativeMemory.load(EIGHT, value), a);
                value += rowBytes;
            }
            store(a, sums + row * rowBytes);
        }
    }
}
