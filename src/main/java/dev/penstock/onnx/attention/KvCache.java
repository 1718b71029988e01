package dev.penstock.onnx.attention;

import static dev.penstock.onnx.attention.NativeMemory.LANES;
import static dev.penstock.onnx.attention.NativeMemory.VECTOR_BYTES;
import static dev.penstock.onnx.attention.NativeMemory.getFloat;
import static dev.penstock.onnx.attention.NativeMemory.load;
import static dev.penstock.onnx.attention.NativeMemory.loadHalves;
import static dev.penstock.onnx.attention.NativeMemory.store;

import dev.penstock.model.KvType;

/** Writes keys and values into their blocks, and brings tiles of them into a buffer in the first-level cache. */
final class KvCache {
    private KvCache() {}

    /**
     * Writes one token's key and value of one head.
     *
     * @param key [headSize], rotated already
     * @param value [headSize]
     */
    static void append(AttentionCall call, int kvHeads, int kvHead, int sequence, int position, long key, long value) {
        int lane = position % AttentionCall.KEY_GROUP;
        long keys = call.keyGroup(sequence, kvHeads, kvHead, position - lane);
        long row = call.valueRow(sequence, kvHeads, kvHead, position);
        int headSize = call.headSize();
        switch (call.kvType()) {
            case FP32 -> {
                for (int i = 0; i < headSize; i++) {
                    NativeMemory.setFloat(keys + (i * 16L + lane) * 4, getFloat(key + i * 4L));
                }
                NativeMemory.copyFloats(value, row, headSize);
            }
            case FP16 -> {
                for (int i = 0; i < headSize; i++) {
                    NativeMemory.setShort(keys + (i * 16L + lane) * 2, half(getFloat(key + i * 4L)));
                    NativeMemory.setShort(row + i * 2L, half(getFloat(value + i * 4L)));
                }
            }
        }
    }

    /** The nearest half, at most the greatest finite one, since {@link NativeMemory#loadHalves} knows no infinity. */
    private static short half(float x) {
        return Float.floatToFloat16(Math.clamp(x, -65504f, 65504f));
    }

    /**
     * Copies {@code count} numbers, a multiple of 8, from the cache to floats. Reading the cache in one stream, apart
     * from the arithmetic, is what the hardware's prefetching likes: 20 against 10 GB/s from memory.
     */
    static void stage(KvType type, long from, long to, int count) {
        int i = 0;
        switch (type) {
            case FP32 -> {
                for (; i + LANES <= count; i += LANES) {
                    store(load(from + i * 4L), to + i * 4L);
                }
                for (; i < count; i++) {
                    NativeMemory.setFloat(to + i * 4L, getFloat(from + i * 4L));
                }
            }
            case FP16 -> {
                long target = to;
                for (; i + LANES <= count; i += LANES) {
                    store(loadHalves(from + i * 2L), target);
                    target += VECTOR_BYTES;
                }
                for (; i < count; i++) {
                    NativeMemory.setFloat(to + i * 4L, Float.float16ToFloat(NativeMemory.getShort(from + i * 2L)));
                }
            }
        }
    }
}
