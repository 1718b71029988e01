package dev.penstock.onnx.experts;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** The inner loops over floats at absolute addresses, which whoever hands them out has checked. */
final class ExpertKernels {
    /** Below so many numbers handing out work costs more than it brings. */
    static final int GATED_ALONE = 1 << 12;

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();
    private static final VectorSpecies<Byte> HALF_BLOCK = ByteVector.SPECIES_128;
    private static final MemorySegment ALL_MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /** 2 sqrt(2 / pi), since 1 + tanh(y) is twice the logistic function of 2 y. */
    private static final float GELU_FACTOR = (float) (2 * Math.sqrt(2 / Math.PI));

    private static final float GELU_CUBE = 0.044715f;

    private ExpertKernels() {}

    private static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(FLOATS, ALL_MEMORY, address, ORDER);
    }

    private static void store(FloatVector vector, long address) {
        vector.intoMemorySegment(ALL_MEMORY, address, ORDER);
    }

    private static float number(long address) {
        return ALL_MEMORY.get(ValueLayout.JAVA_FLOAT_UNALIGNED, address);
    }

    private static void number(long address, float value) {
        ALL_MEMORY.set(ValueLayout.JAVA_FLOAT_UNALIGNED, address, value);
    }

    /** {@code gate = activation(gate) * up} for numbers {@code from} up to {@code to}. */
    static void gate(long gate, long up, int from, int to, boolean gelu) {
        int i = from;
        for (; i + LANES <= to; i += LANES) {
            FloatVector x = load(gate + 4L * i);
            FloatVector y = gelu ? x.mul(x).mul(GELU_CUBE).add(1f).mul(x).mul(GELU_FACTOR) : x;
            FloatVector divisor = y.neg().lanewise(VectorOperators.EXP).add(1f);
            store(x.div(divisor).mul(load(up + 4L * i)), gate + 4L * i);
        }
        for (; i < to; i++) {
            float x = number(gate + 4L * i);
            float y = gelu ? (x * x * GELU_CUBE + 1) * x * GELU_FACTOR : x;
            number(gate + 4L * i, (float) (x / (1 + Math.exp(-y))) * number(up + 4L * i));
        }
    }

    /** {@code sum += factor * x}. */
    static void addScaled(long x, float factor, long sum, int count) {
        int i = 0;
        for (; i + LANES <= count; i += LANES) {
            store(load(x + 4L * i).fma(FloatVector.broadcast(FLOATS, factor), load(sum + 4L * i)), sum + 4L * i);
        }
        for (; i < count; i++) {
            number(sum + 4L * i, Math.fma(number(x + 4L * i), factor, number(sum + 4L * i)));
        }
    }

    /** The dot product of a row of weights with each of {@code rows} rows of x, [rows, width]. */
    static void dots(long weights, long x, int rows, int width, long output, int outputStride) {
        int t = 0;
        for (; t + 4 <= rows; t += 4) {
            fourDots(weights, x + 4L * t * width, width, output + 4L * t * outputStride, outputStride);
        }
        for (; t < rows; t++) {
            number(output + 4L * t * outputStride, dot(weights, x + 4L * t * width, width));
        }
    }

    private static void fourDots(long w, long x, int width, long output, int outputStride) {
        long rowBytes = 4L * width;
        FloatVector a = FloatVector.zero(FLOATS);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int i = 0;
        for (; i + LANES <= width; i += LANES) {
            FloatVector weight = load(w + 4L * i);
            long at = x + 4L * i;
            a = weight.fma(load(at), a);
            b = weight.fma(load(at + rowBytes), b);
            c = weight.fma(load(at + 2 * rowBytes), c);
            d = weight.fma(load(at + 3 * rowBytes), d);
        }
        long done = 4L * i;
        int rest = width - i;
        number(output, sum(a) + rest(w + done, x + done, rest));
        number(output + 4L * outputStride, sum(b) + rest(w + done, x + rowBytes + done, rest));
        number(output + 8L * outputStride, sum(c) + rest(w + done, x + 2 * rowBytes + done, rest));
        number(output + 12L * outputStride, sum(d) + rest(w + done, x + 3 * rowBytes + done, rest));
    }

    /** In four sums, so that none waits for the one before. */
    private static float dot(long w, long x, int width) {
        FloatVector a = FloatVector.zero(FLOATS);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int i = 0;
        for (; i + 4 * LANES <= width; i += 4 * LANES) {
            long n = 4L * i;
            a = load(w + n).fma(load(x + n), a);
            b = load(w + n + 4L * LANES).fma(load(x + n + 4L * LANES), b);
            c = load(w + n + 8L * LANES).fma(load(x + n + 8L * LANES), c);
            d = load(w + n + 12L * LANES).fma(load(x + n + 12L * LANES), d);
        }
        return sum(a.add(b).add(c.add(d))) + rest(w + 4L * i, x + 4L * i, width - i);
    }

    private static float sum(FloatVector v) {
        return v.reduceLanes(VectorOperators.ADD);
    }

    private static float rest(long w, long x, int count) {
        float sum = 0;
        for (int i = 0; i < count; i++) {
            sum = Math.fma(number(w + 4L * i), number(x + 4L * i), sum);
        }
        return sum;
    }

    /**
     * Turns a row of codes of com.microsoft.MatMulNBits into floats; those of 4 bits come out in the order of
     * {@link #shuffle}.
     *
     * @param blocks blocks of 32 codes
     */
    static void decode(long codes, long scales, int bits, int blocks, long row) {
        for (int b = 0; b < blocks; b++) {
            float scale = number(scales + 4L * b);
            long to = row + 128L * b;
            if (bits == 8) {
                decode(bytes(codes + 32L * b), 128, scale, to);
                decode(bytes(codes + 32L * b + 16), 128, scale, to + 64);
            } else {
                ByteVector pairs = bytes(codes + 16L * b);
                decode(pairs.and((byte) 15), 8, scale, to);
                decode(pairs.lanewise(VectorOperators.LSHR, 4), 8, scale, to + 64);
            }
        }
    }

    private static ByteVector bytes(long address) {
        return ByteVector.fromMemorySegment(HALF_BLOCK, ALL_MEMORY, address, ORDER);
    }

    private static void decode(ByteVector codes, int offset, float scale, long to) {
        // The offset is taken off in bytes, where it wraps round to the right signed number.
        ByteVector signed = codes.sub((byte) offset);
        for (int part = 0; part < 16 / LANES; part++) {
            FloatVector values = (FloatVector) signed.convertShape(VectorOperators.B2F, FLOATS, part);
            store(values.mul(scale), to + 4L * LANES * part);
        }
    }

    /** Copies a row, filled up with zeros to whole blocks; for 4 bits even places of a block come before odd ones. */
    static void shuffle(long x, int count, int bits, long to, int blocks) {
        for (int i = 0; i < 32 * blocks; i++) {
            int within = i % 32;
            int place = bits == 8 ? i : i - within + within / 2 + within % 2 * 16;
            number(to + 4L * place, i < count ? number(x + 4L * i) : 0);
        }
    }
}
