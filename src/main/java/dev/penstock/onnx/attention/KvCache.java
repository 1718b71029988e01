package dev.penstock.onnx.attention;

import static dev.penstock.onnx.attention.NativeMemory.LANES;
import static dev.penstock.onnx.attention.NativeMemory.VECTOR_BYTES;
import static dev.penstock.onnx.attention.NativeMemory.getFloat;
import static dev.penstock.onnx.attention.NativeMemory.load;
import static dev.penstock.onnx.attention.NativeMemory.loadBytes;
import static dev.penstock.onnx.attention.NativeMemory.loadHalves;
import static dev.penstock.onnx.attention.NativeMemory.store;

import dev.penstock.model.KvType;
import jdk.incubator.vector.FloatVector;

/** Writes keys and values into their blocks, and brings tiles of them into a buffer in the first-level cache. */
final class KvCache {
    /** The largest code of an 8-bit cache. */
    private static final float CODE_LIMIT = 127;

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
        long values = call.valueGroup(sequence, kvHeads, kvHead, position - lane);
        int headSize = call.headSize();
        switch (call.kvType()) {
            case FP32 -> {
                for (int i = 0; i < headSize; i++) {
                    NativeMemory.setFloat(keys + (i * 16L + lane) * 4, getFloat(key + i * 4L));
                }
                NativeMemory.copyFloats(value, values + 4L * lane * headSize, headSize);
            }
            case FP16 -> {
                long row = values + 2L * lane * headSize;
                for (int i = 0; i < headSize; i++) {
                    NativeMemory.setShort(keys + (i * 16L + lane) * 2, half(getFloat(key + i * 4L)));
                    NativeMemory.setShort(row + i * 2L, half(getFloat(value + i * 4L)));
                }
            }
            case INT8 -> {
                long scales = call.scalesOffset() + 4L * lane;
                appendCodes(key, headSize, keys + lane, AttentionCall.KEY_GROUP, keys + scales);
                appendCodes(value, headSize, values + (long) lane * headSize, 1, values + scales);
            }
        }
    }

    /** Writes a head's numbers as codes of -127 to 127, {@code stride} bytes apart, and what a code of 1 stands for. */
    private static void appendCodes(long numbers, int headSize, long codes, int stride, long scale) {
        float largest = 0;
        for (int i = 0; i < headSize; i++) {
            largest = Math.max(largest, Math.abs(getFloat(numbers + i * 4L)));
        }
        float inverse = largest == 0 ? 0 : CODE_LIMIT / largest;
        for (int i = 0; i < headSize; i++) {
            NativeMemory.setByte(codes + (long) i * stride, (byte) Math.rint(getFloat(numbers + i * 4L) * inverse));
        }
        NativeMemory.setFloat(scale, largest / CODE_LIMIT);
    }

    /** The nearest half, at most the greatest finite one, since {@link NativeMemory#loadHalves} knows no infinity. */
    private static short half(float x) {
        return Float.floatToFloat16(Math.clamp(x, -65504f, 65504f));
    }

    /** Brings a group of keys, [headSize, 16], to floats. */
    static void stageKeys(AttentionCall call, long keys, long to) {
        int count = AttentionCall.KEY_GROUP * call.headSize();
        if (call.kvType() != KvType.INT8) {
            stage(call.kvType(), keys, to, count);
            return;
        }
        for (int lane = 0; lane < AttentionCall.KEY_GROUP; lane += LANES) {
            FloatVector scales = load(keys + call.scalesOffset() + lane * 4L);
            for (int i = lane; i < count; i += AttentionCall.KEY_GROUP) {
                store(loadBytes(keys + i).mul(scales), to + i * 4L);
            }
        }
    }

    /** Brings the first values of a group, [count, headSize], to floats. */
    static void stageValues(AttentionCall call, long values, int count, long to) {
        int headSize = call.headSize();
        if (call.kvType() != KvType.INT8) {
            stage(call.kvType(), values, to, count * headSize);
            return;
        }
        for (int row = 0; row < count; row++) {
            float scale = getFloat(values + call.scalesOffset() + row * 4L);
            long from = values + (long) row * headSize;
            long target = to + 4L * row * headSize;
            int i = 0;
            for (; i + LANES <= headSize; i += LANES) {
                store(loadBytes(from + i).mul(scale), target + i * 4L);
            }
            for (; i < headSize; i++) {
                NativeMemory.setFloat(target + i * 4L, NativeMemory.getByte(from + i) * scale);
            }
        }
    }

    /**
     * Copies {@code count} numbers, a multiple of 8, from the cache to floats. Reading the cache in one stream, apart
     * from the arithmetic, is what the hardware's prefetching likes: 20 against 10 GB/s from memory.
     */
    private static void stage(KvType type, long from, long to, int count) {
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
            case INT8 -> throw new IllegalArgumentException("codes mean nothing without their scales");
        }
    }
}
