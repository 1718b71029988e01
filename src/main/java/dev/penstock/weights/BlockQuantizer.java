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
 * <p>Rounded to {@link Rounding#NEAREST}, the number of largest magnitude in a block gets the code 0, whatever its sign
 * (the scale may be negative), so that all codes are used: a symmetric range that leaves out the lowest code has an
 * eighth more error at 4 bits. Rows whose length is no multiple of a block end in codes that stand for zero. For one
 * thread.
 */
final class BlockQuantizer {
    /** Numbers that share a scale. */
    static final int BLOCK = 32;

    /** Below this a block is taken as zeros: its inverse scale would overflow. */
    static final float TINY = 1e-30f;

    static final VectorSpecies<Float> FLOATS =
            FloatVector.SPECIES_PREFERRED.length() > BLOCK ? FloatVector.SPECIES_512 : FloatVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();

    private final int bits;
    private final int zero;
    private final Rounding rounding;
    private final ScaleSearch search = new ScaleSearch();
    /** Whole blocks, the last one of a row filled up with zeros. */
    private final float[] group = new float[ScaleSearch.BLOCKS * BLOCK];

    private final float[] inverses = new float[ScaleSearch.BLOCKS];
    private final float[] scalesOfGroup = new float[ScaleSearch.BLOCKS];
    private final int[] codesOfBlock = new int[BLOCK];
    private final long[] pairsOfBlock = new long[BLOCK / 2];

    /**
     * For codes of that width.
     *
     * @param bits 4 or 8
     * @param rounding how their scales are found; a search is for 4 bits only, at 8 there is nothing to gain
     */
    BlockQuantizer(int bits, Rounding rounding) {
        if (bits != 4 && (bits != 8 || rounding == Rounding.SEARCH)) {
            throw new IllegalArgumentException("expected 4 or 8 bits, or 4 to search, found " + bits);
        }
        this.bits = bits;
        this.zero = 1 << (bits - 1);
        this.rounding = rounding;
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
        int all = rows * blocks;
        boolean finite = true;
        for (int first = 0; first < all; first += ScaleSearch.BLOCKS) {
            int count = Math.min(ScaleSearch.BLOCKS, all - first);
            for (int b = 0; b < count; b++) {
                int row = (first + b) / blocks;
                int column = (first + b) % blocks * BLOCK;
                int length = Math.min(BLOCK, columns - column);
                System.arraycopy(values, row * columns + column, group, b * BLOCK, length);
                Arrays.fill(group, b * BLOCK + length, (b + 1) * BLOCK, 0);
            }
            switch (rounding) {
                case NEAREST -> nearest(count);
                case SEARCH -> search.find(group, inverses, scalesOfGroup);
            }
            for (int b = 0; b < count; b++) {
                writeCodes(b, codes, (first + b) * blockBytes(bits));
                scales[first + b] = scalesOfGroup[b];
                finite &= Float.isFinite(scalesOfGroup[b]);
            }
        }
        return finite;
    }

    private void nearest(int count) {
        for (int b = 0; b < count; b++) {
            FloatVector most = FloatVector.fromArray(FLOATS, group, b * BLOCK);
            FloatVector least = most;
            for (int i = LANES; i < BLOCK; i += LANES) {
                FloatVector v = FloatVector.fromArray(FLOATS, group, b * BLOCK + i);
                most = most.max(v);
                least = least.min(v);
            }
            float max = most.reduceLanes(VectorOperators.MAX);
            float min = least.reduceLanes(VectorOperators.MIN);
            float extreme = -min > max ? min : max;
            float scale = Math.abs(extreme) < TINY ? 0 : extreme / -zero;
            scalesOfGroup[b] = scale;
            inverses[b] = scale == 0 ? 0 : 1 / scale;
        }
    }

    private void writeCodes(int block, byte[] codes, int to) {
        if (bits == 4) {
            codes4(group, block * BLOCK, inverses[block], codes, to);
        } else {
            codes8(group, block * BLOCK, inverses[block], codes, to);
        }
    }

    /** Codes of a vector of numbers, cut to their range. The half rounds to nearest, since the sum is positive and the conversion cuts. */
    private IntVector round(float[] values, int from, float inverse) {
        IntVector code = (IntVector) FloatVector.fromArray(FLOATS, values, from)
                .mul(inverse)
                .add(zero + 0.5f)
                .convert(VectorOperators.F2I, 0);
        return code.max(0).min(2 * zero - 1);
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
