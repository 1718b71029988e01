package dev.penstock.onnx.attention;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Numbers and vectors at absolute addresses. One constant segment over the whole address space makes loads and stores
 * plain machine instructions, faster here than heap arrays (93 against 69 GFLOP/s in the score loop); nothing is
 * checked, so whoever hands out an address has checked it: see {@link AttentionCall}. Loops over it count in ints: the
 * compiler treats loops over longs worse (softmax took 14 us in place of 7.5).
 */
final class NativeMemory {
    /** Floats of the machine's preferred vector. */
    static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    /** Lanes of {@link #FLOATS}: 4, 8 or 16. */
    static final int LANES = FLOATS.length();
    /** Bytes of {@link #FLOATS}. */
    static final int VECTOR_BYTES = LANES * Float.BYTES;

    private static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, FLOATS.vectorShape());
    private static final VectorSpecies<Short> HALVES =
            VectorSpecies.of(short.class, VectorShape.forBitSize(Math.max(64, FLOATS.vectorBitSize() / 2)));
    private static final VectorSpecies<Byte> BYTES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, FLOATS.vectorBitSize() / 4)));
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private NativeMemory() {}

    static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(FLOATS, ALL, address, ORDER);
    }

    static FloatVector load(VectorSpecies<Float> species, long address) {
        return FloatVector.fromMemorySegment(species, ALL, address, ORDER);
    }

    static void store(FloatVector vector, long address) {
        vector.intoMemorySegment(ALL, address, ORDER);
    }

    /** The number at the address in all lanes. */
    static FloatVector broadcast(long address) {
        return FloatVector.broadcast(FLOATS, getFloat(address));
    }

    static FloatVector broadcast(VectorSpecies<Float> species, long address) {
        return FloatVector.broadcast(species, getFloat(address));
    }

    /**
     * {@link #LANES} halves as floats, infinities and NaN excepted: exponent and fraction are shifted into place and
     * the exponent's bias is put right by an exact multiplication, which serves subnormal halves too.
     */
    static FloatVector loadHalves(long address) {
        ShortVector halves = ShortVector.fromMemorySegment(HALVES, ALL, address, ORDER);
        IntVector wide = (IntVector) halves.convertShape(VectorOperators.S2I, INTS, 0);
        return wide.lanewise(VectorOperators.LSHL, 13)
                .lanewise(VectorOperators.AND, 0x8fffe000)
                .reinterpretAsFloats()
                .mul(0x1p112f);
    }

    /** {@link #LANES} signed bytes as floats; a vector of four reads four bytes more. */
    static FloatVector loadBytes(long address) {
        return (FloatVector)
                ByteVector.fromMemorySegment(BYTES, ALL, address, ORDER).convertShape(VectorOperators.B2F, FLOATS, 0);
    }

    static byte getByte(long address) {
        return ALL.get(ValueLayout.JAVA_BYTE, address);
    }

    static void setByte(long address, byte value) {
        ALL.set(ValueLayout.JAVA_BYTE, address, value);
    }

    static float getFloat(long address) {
        return ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, address);
    }

    static void setFloat(long address, float value) {
        ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, address, value);
    }

    static short getShort(long address) {
        return ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, address);
    }

    static void setShort(long address, short value) {
        ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, address, value);
    }

    static int getInt(long address) {
        return ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address);
    }

    static void fill(long address, int floats, float value) {
        int i = 0;
        for (; i + LANES <= floats; i += LANES) {
            store(FloatVector.broadcast(FLOATS, value), address + i * 4L);
        }
        for (; i < floats; i++) {
            setFloat(address + i * 4L, value);
        }
    }

    static void copyFloats(long from, long to, long floats) {
        MemorySegment.copy(ALL, from, ALL, to, floats * Float.BYTES);
    }
}
