package dev.penstock.weights;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Reads numbers of 16 or 32 bits from little-endian memory as floats. The loops are plain so that the compiler turns
 * them into vector code; {@link Float#float16ToFloat} becomes the machine's own conversion there.
 */
final class FloatReader {
    private static final ValueLayout.OfShort SHORTS =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOATS =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Numbers converted at a time: the copy in between stays in the first-level cache. */
    private static final int CHUNK = 4096;

    private FloatReader() {}

    /**
     * Converts {@code count} numbers.
     *
     * @param from memory that holds them
     * @param offset byte at which the first one begins
     * @throws IllegalArgumentException the type is not {@link TensorType#readable}
     */
    static void read(TensorType type, MemorySegment from, long offset, float[] to, int toIndex, int count) {
        switch (type) {
            case F32 -> MemorySegment.copy(from, FLOATS, offset, to, toIndex, count);
            case F16, BF16 -> {
                short[] chunk = new short[Math.min(count, CHUNK)];
                for (int done = 0; done < count; done += CHUNK) {
                    int n = Math.min(CHUNK, count - done);
                    MemorySegment.copy(from, SHORTS, offset + 2L * done, chunk, 0, n);
                    if (type == TensorType.F16) {
                        fromHalf(chunk, to, toIndex + done, n);
                    } else {
                        fromBrain(chunk, to, toIndex + done, n);
                    }
                }
            }
            default -> throw new IllegalArgumentException(type + " holds no weights");
        }
    }

    private static void fromHalf(short[] from, float[] to, int toIndex, int count) {
        for (int i = 0; i < count; i++) {
            to[toIndex + i] = Float.float16ToFloat(from[i]);
        }
    }

    private static void fromBrain(short[] from, float[] to, int toIndex, int count) {
        for (int i = 0; i < count; i++) {
            to[toIndex + i] = Float.intBitsToFloat(from[i] << 16);
        }
    }
}
