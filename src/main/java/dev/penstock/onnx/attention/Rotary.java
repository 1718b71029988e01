package dev.penstock.onnx.attention;

import static dev.penstock.onnx.attention.NativeMemory.LANES;
import static dev.penstock.onnx.attention.NativeMemory.getFloat;
import static dev.penstock.onnx.attention.NativeMemory.load;
import static dev.penstock.onnx.attention.NativeMemory.setFloat;
import static dev.penstock.onnx.attention.NativeMemory.store;

import jdk.incubator.vector.FloatVector;

/** Rotary position embedding (Su et al., "RoFormer", 2021) of one head, of all of it or of its first numbers. */
final class Rotary {
    private Rotary() {}

    /**
     * Rotates a head in place.
     *
     * @param head [headSize]; its first {@code 2 * half} numbers are rotated
     * @param cos the position's cosines, [half]
     * @param sin the position's sines, [half]
     * @param interleaved whether numbers 2i and 2i + 1 form pair i, not numbers i and i + half
     */
    static void rotate(long head, long cos, long sin, int half, boolean interleaved) {
        if (interleaved) {
            for (int i = 0; i < half; i++) {
                float c = getFloat(cos + i * 4L);
                float s = getFloat(sin + i * 4L);
                float x = getFloat(head + i * 8L);
                float y = getFloat(head + i * 8L + 4);
                setFloat(head + i * 8L, x * c - y * s);
                setFloat(head + i * 8L + 4, y * c + x * s);
            }
            return;
        }
        long second = head + half * 4L;
        int i = 0;
        for (; i + LANES <= half; i += LANES) {
            FloatVector c = load(cos + i * 4L);
            FloatVector s = load(sin + i * 4L);
            FloatVector x = load(head + i * 4L);
            FloatVector y = load(second + i * 4L);
            store(x.mul(c).sub(y.mul(s)), head + i * 4L);
            store(y.mul(c).add(x.mul(s)), second + i * 4L);
        }
        for (; i < half; i++) {
            float c = getFloat(cos + i * 4L);
            float s = getFloat(sin + i * 4L);
            float x = getFloat(head + i * 4L);
            float y = getFloat(second + i * 4L);
            setFloat(head + i * 4L, x * c - y * s);
            setFloat(second + i * 4L, y * c + x * s);
        }
    }
}
