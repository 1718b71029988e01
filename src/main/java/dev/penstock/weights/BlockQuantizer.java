package dev.penstock.weights;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rounds rows of a matrix to 4- or 8-bit codes in blocks of {@value #BLOCK} with one scale each, in the layout of
 * com.microsoft.MatMulNBits without zero points: a code {@code q} stands for {@code (q - 2^(bits-1)) * scale}.
 *
 * <p>The number of largest magnitude in a block gets the code 0, whatever its sign (the scale may be negative), so that
 * all codes are used: a symmetric range that leaves out the lowest code has an eighth more error at 4 bits. Rows whose
 * length is no multiple of a block end in codes that stand for zero. For one thread.
 */
final class BlockQuantizer {
    /** Numbers that share a scale. */
    static final int BLOCK = 32;

    /** Below this a block is taken as zeros: its inverse scale would overflow. */
    private static final float TINY = 1e-30f;

    private static final VectorSpecies<Float> FLOATS =
            FloatVector.SPECIES_PREFERRED.length() > BLOCK ? FloatVector.SPECIES_512 : FloatVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();

    private final int bits;
    private final int zero;
    private final float[] tail = new float[BLOCK];
    private final int[] codesOfBlock = new int[BLOCK];
    private final long[] pairsOfBlock = new long[BLOCK / 2];

    /**
     * For codes of that width.
     *
     * @param bits 4 or 8
     */
    BlockQuantizer(int bits) {
        if (bits != 4 && bits != 8) {
            throw new IllegalArgumentException("bits: expected 4 or 8, found " + bits);
        }
        this.bits = bits;
        this.zero = 1 << (bits - 1);
    }

    /** Blocks in a row of that many numbers. */
    static int blocks(int columns) {
        return (columns + BLOCK - 1) / BLOCK;
    }

    /** Bytes of one block's codes. */
    static int blockBytes(int bits) {
        return BLOCK * bits / 8;
    }

    /**
     * Quantises rows that stand one after the other.
     *
     * @param values [rows, columns]
     * @param codes receives [rows, blocks, blockBytes]
     * @param scales receives [rows, blocks]
     * @return whether all numbers were finite; if not, codes and scales mean nothing
     */
    boolean quantize(float[] values, int rows, int columns, byte[] codes, float[] scales) {
        int blocks = blocks(columns);
        int bytes = blockBytes(bits);
        boolean finite = true;
        for (int row = 0; row < rows; row++) {
            for (int block = 0; block < blocks; block++) {
                int from = row * columns + block * BLOCK;
                int index = row * blocks + block;
                int length = Math.min(BLOCK, columns - block * BLOCK);
                float scale;
                if (length == BLOCK) {
                    scale = block(values, from, codes, index * bytes);
                } else {
                    System.arraycopy(values, from, tail, 0, length);
                    Arrays.fill(tail, length, BLOCK, 0);
                    scale = block(tail, 0, codes, index * bytes);
                }
                scales[index] = scale;
                finite &= Float.isFinite(scale);
            }
        }
        return finite;
    }

    /** Writes the codes of one whole block, returns its scale. */
    private float block(float[] values, int from, byte[] codes, int to) {
        FloatVector most = FloatVector.fromArray(FLOATS, values, from);
        FloatVector least = most;
        for (int i = LANES; i < BLOCK; i += LANES) {
            FloatVector v = FloatVector.fromArray(FLOATS, values, from + i);
            most = most.max(v);
            least = least.min(v);
        }
        float max = most.reduceLanes(VectorOperators.MAX);
        float min = least.reduceLanes(VectorOperators.MIN);
        float extreme = -min > max ? min : max;
        float scale = Math.abs(extreme) < TINY ? 0 : extreme / -zero;
        float inverse = scale == 0 ? 0 : 1 / scale;
        if (bits == 4) {
            codes4(values, from, inverse, codes, to);
        } else {
            codes8(values, from, inverse, codes, to);
        }
        return scale;
    }

    /** Codes of a vector of numbers. The half rounds to nearest, since the sum is positive and the conversion cuts. */
    private IntVector round(float[] values, int from, float inverse) {
        IntVector code = (IntVector) FloatVector.fromArray(FLOATS, values, from)
                .mul(inverse)
                .add(zero + 0.5f)
                .convert(VectorOperators.F2I, 0);
        return code.min(2 * zero - 1);
    }

    private void codes4(float[] values, int from, float inverse, byte[] codes, int to) {
        for (int i = 0; i < BLOCK; i += LANES) {
            // Two neighbouring codes are one long: bring the upper one down to bit 4.
            LongVector pairs = round(values, from + i, inverse).reinterpretAsLongs();
            pairs.or(pairs.lanewise(VectorOperators.LSHR, 28)).intoArray(pairsOfBlock, i / 2);
        }
        for (int i = 0; i < BLOCK / 2; i++) {
            codes[to + i] = (byte) pairsOfBlock[i];
        }
    }

    private void codes8(float[] values, int from, float inverse, byte[] codes, int to) {
        for (int i = 0; i < BLOCK; i += LANES) {
            round(values, from + i, inverse).intoArray(codesOfBlock, i);
        }
        for (int i = 0; i < BLOCK; i++) {
            codes[to + i] = (byte) codesOfBlock[i];
        }
    }
}
