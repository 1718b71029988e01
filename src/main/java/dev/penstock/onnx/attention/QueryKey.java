package dev.penstock.onnx.attention;

import static dev.penstock.onnx.attention.NativeMemory.LANES;
import static dev.penstock.onnx.attention.NativeMemory.VECTOR_BYTES;
import static dev.penstock.onnx.attention.NativeMemory.broadcast;
import static dev.penstock.onnx.attention.NativeMemory.load;
import static dev.penstock.onnx.attention.NativeMemory.store;

import jdk.incubator.vector.FloatVector;

/**
 * Scores of query rows against a tile of keys: a small matrix product. Keys lie [headSize, 16] in groups of 16, so that
 * a vector holds one number of several keys and no sum runs across lanes. Four rows by two vectors keep eight sums in
 * registers, which hides the latency of the multiply-add with the 16 registers of AVX2 too (eight rows were slower).
 */
final class QueryKey {
    private static final int GROUP = AttentionCall.KEY_GROUP;
    private static final long KEY_STRIDE = GROUP * (long) Float.BYTES;

    private QueryKey() {}

    /**
     * Writes {@code rows x (16 * groups)} scores.
     *
     * @param queries [rows, headSize]
     * @param keys [groups, headSize, 16]
     * @param scores first row's address; rows are {@code scoreStride} bytes apart
     */
    static void scores(long queries, int rows, int headSize, long keys, int groups, long scores, long scoreStride) {
        long groupBytes = headSize * KEY_STRIDE;
        if (LANES == GROUP) {
            int group = 0;
            for (; group + 2 <= groups; group += 2) {
                long key = keys + group * groupBytes;
                pair(queries, rows, headSize, key, key + groupBytes, scores + group * KEY_STRIDE, scoreStride);
            }
            if (group < groups) {
                long key = keys + group * groupBytes;
                single(queries, rows, headSize, key, scores + group * KEY_STRIDE, scoreStride);
            }
        } else {
            for (int group = 0; group < groups; group++) {
                for (int lane = 0; lane < GROUP; lane += 2 * LANES) {
                    long key = keys + group * groupBytes + lane * 4L;
                    pair(
                            queries,
                            rows,
                            headSize,
                            key,
                            key + VECTOR_BYTES,
                            scores + group * KEY_STRIDE + lane * 4L,
                            scoreStride);
                }
            }
        }
    }

    private static void pair(
            long queries, int rows, int headSize, long key0, long key1, long scores, long scoreStride) {
        long rowBytes = headSize * 4L;
        int row = 0;
        for (; row + 4 <= rows; row += 4) {
            fourRows(queries + row * rowBytes, headSize, key0, key1, scores + row * scoreStride, scoreStride);
        }
        for (; row + 2 <= rows; row += 2) {
            twoRows(queries + row * rowBytes, headSize, key0, key1, scores + row * scoreStride, scoreStride);
        }
        if (row < rows) {
            oneRow(queries + row * rowBytes, headSize, key0, key1, scores + row * scoreStride);
        }
    }

    private static void fourRows(long query, int headSize, long key0, long key1, long scores, long scoreStride) {
        FloatVector a0 = FloatVector.zero(NativeMemory.FLOATS);
        FloatVector a1 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector c0 = a0;
        FloatVector c1 = a0;
        FloatVector d0 = a0;
        FloatVector d1 = a0;
        long rowBytes = headSize * 4L;
        for (int i = 0; i < headSize; i++) {
            FloatVector k0 = load(key0 + i * KEY_STRIDE);
            FloatVector k1 = load(key1 + i * KEY_STRIDE);
            long q = query + i * 4L;
            FloatVector x = broadcast(q);
            a0 = x.fma(k0, a0);
            a1 = x.fma(k1, a1);
            x = broadcast(q + rowBytes);
            b0 = x.fma(k0, b0);
            b1 = x.fma(k1, b1);
            x = broadcast(q + 2 * rowBytes);
            c0 = x.fma(k0, c0);
            c1 = x.fma(k1, c1);
            x = broadcast(q + 3 * rowBytes);
            d0 = x.fma(k0, d0);
            d1 = x.fma(k1, d1);
        }
        store(a0, scores);
        store(a1, scores + VECTOR_BYTES);
        scores += scoreStride;
        store(b0, scores);
        store(b1, scores + VECTOR_BYTES);
        scores += scoreStride;
        store(c0, scores);
        store(c1, scores + VECTOR_BYTES);
        scores += scoreStride;
        store(d0, scores);
        store(d1, scores + VECTOR_BYTES);
    }

    private static void twoRows(long query, int headSize, long key0, long key1, long scores, long scoreStride) {
        FloatVector a0 = FloatVector.zero(NativeMemory.FLOATS);
        FloatVector a1 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        long rowBytes = headSize * 4L;
        for (int i = 0; i < headSize; i++) {
            FloatVector k0 = load(key0 + i * KEY_STRIDE);
            FloatVector k1 = load(key1 + i * KEY_STRIDE);
            FloatVector x = broadcast(query + i * 4L);
            a0 = x.fma(k0, a0);
            a1 = x.fma(k1, a1);
            x = broadcast(query + i * 4L + rowBytes);
            b0 = x.fma(k0, b0);
            b1 = x.fma(k1, b1);
        }
        store(a0, scores);
        store(a1, scores + VECTOR_BYTES);
        store(b0, scores + scoreStride);
        store(b1, scores + scoreStride + VECTOR_BYTES);
    }

    /** Even and odd numbers of the head are summed apart, since two sums alone would wait for each other. */
    private static void oneRow(long query, int headSize, long key0, long key1, long scores) {
        FloatVector a0 = FloatVector.zero(NativeMemory.FLOATS);
        FloatVector a1 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        for (int i = 0; i < headSize; i += 2) {
            FloatVector x = broadcast(query + i * 4L);
            a0 = x.fma(load(key0 + i * KEY_STRIDE), a0);
            a1 = x.fma(load(key1 + i * KEY_STRIDE), a1);
            x = broadcast(query + i * 4L + 4);
            b0 = x.fma(load(key0 + (i + 1) * KEY_STRIDE), b0);
            b1 = x.fma(load(key1 + (i + 1) * KEY_STRIDE), b1);
        }
        store(a0.add(b0), scores);
        store(a1.add(b1), scores + VECTOR_BYTES);
    }

    /** One vector of keys: only where a vector holds a whole group and the number of groups is odd. */
    private static void single(long queries, int rows, int headSize, long key, long scores, long scoreStride) {
        for (int row = 0; row < rows; row++) {
            long query = queries + row * headSize * 4L;
            FloatVector a = FloatVector.zero(NativeMemory.FLOATS);
            FloatVector b = a;
            for (int i = 0; i < headSize; i += 2) {
                a = broadcast(query + i * 4L).fma(load(key + i * KEY_STRIDE), a);
                b = broadcast(query + i * 4L + 4).fma(load(key + (i + 1) * KEY_STRIDE), b);
            }
            store(a.add(b), scores + row * scoreStride);
        }
    }
}
