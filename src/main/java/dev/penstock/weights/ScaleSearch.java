package dev.penstock.weights;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Finds scales for blocks of 4-bit codes with less squared error than that of the largest magnitude: each of a few
 * candidates rounds the block, and the one whose codes can be fitted best wins.
 *
 * <p>For codes q of numbers w the scale of least squared error is {@code s = sum(w q) / sum(q q)}, and the error is then
 * {@code sum(w w) - sum(w q)^2 / sum(q q)}; so a candidate costs two sums, and the winner has the largest last term. As
 * in HQQ (Badri and Shaji, 2023) rounding and fit are taken in turn and no data are needed; several starts do here
 * what iterations do there. A lane of a vector is a block, so that sums stay in their lane. For one thread.
 */
final class ScaleSearch {
    /** Blocks that are searched at once. */
    static final int BLOCKS = BlockQuantizer.FLOATS.length();

    /**
     * Candidates, as factors of the scale that gives the largest magnitude the code -8. Below 1 it is cut off in favour
     * of a finer step for the others; below 0 it gets a positive code, of which there is one less. Twelve reach 10.8 %
     * less error than the nearest code on Gaussian numbers, sixty 11.5 %.
     */
    private static final float[] FACTORS = {
        0.75f, 0.82f, 0.88f, 0.94f, 1, 1.06f, -0.95f, -1, -1.05f, -1.1f, -1.15f, -1.2f
    };

    private static final VectorSpecies<Float> LANES = BlockQuantizer.FLOATS;
    private static final int LENGTH = LANES.length();
    /** Added and subtracted, it rounds to whole numbers: beyond it floats have no fraction. */
    private static final float ROUNDING = 0x1.8p23f;

    private static final int ROUNDING_BITS = Float.floatToRawIntBits(ROUNDING);

    /** [BLOCK, BLOCKS]: number i of all blocks lies side by side. */
    private final float[] columns = new float[BlockQuantizer.BLOCK * LENGTH];

    /**
     * Searches.
     *
     * @param values [BLOCKS, BLOCK]
     * @param inverses receives for each block the factor that gives, rounded and cut to -8 to 7, its codes
     * @param scales receives for each block what its codes are multiplied by; not finite where a number is not
     */
    void find(float[] values, float[] inverses, float[] scales) {
        for (int block = 0; block < LENGTH; block++) {
            for (int i = 0; i < BlockQuantizer.BLOCK; i++) {
                columns[i * LENGTH + block] = values[block * BlockQuantizer.BLOCK + i];
            }
        }
        FloatVector most = FloatVector.fromArray(LANES, columns, 0);
        FloatVector least = most;
        for (int i = LENGTH; i < columns.length; i += LENGTH) {
            FloatVector v = FloatVector.fromArray(LANES, columns, i);
            most = most.max(v);
            least = least.min(v);
        }
        FloatVector extreme = most.blend(least, least.neg().compare(VectorOperators.GT, most));
        VectorMask<Float> zeros = extreme.abs().compare(VectorOperators.LT, BlockQuantizer.TINY);
        FloatVector scale = extreme.div(-8).blend(0, zeros);
        FloatVector nearest = FloatVector.broadcast(LANES, 1).div(scale).blend(0, zeros);
        FloatVector inverse = nearest;
        FloatVector best = FloatVector.zero(LANES);
        for (int c = 0; c < FACTORS.length; c += 2) { // two at a time: their sums need not wait for each other
            FloatVector a = nearest.mul(1 / FACTORS[c]);
            FloatVector b = nearest.mul(1 / FACTORS[c + 1]);
            FloatVector fitA = FloatVector.zero(LANES);
            FloatVector fitB = fitA;
            FloatVector squareA = fitA;
            FloatVector squareB = fitA;
            for (int i = 0; i < BlockQuantizer.BLOCK * LENGTH; i += LENGTH) {
                FloatVector v = FloatVector.fromArray(LANES, columns, i);
                FloatVector codeA = round(v, a);
                FloatVector codeB = round(v, b);
                fitA = v.fma(codeA, fitA);
                fitB = v.fma(codeB, fitB);
                squareA = codeA.fma(codeA, squareA);
                squareB = codeB.fma(codeB, squareB);
            }
            // Comparisons are false where all codes are zero or a number is not finite.
            FloatVector gain = fitA.mul(fitA).div(squareA);
            VectorMask<Float> better = gain.compare(VectorOperators.GT, best);
            best = best.blend(gain, better);
            inverse = inverse.blend(a, better);
            scale = scale.blend(fitA.div(squareA), better);
            gain = fitB.mul(fitB).div(squareB);
            better = gain.compare(VectorOperators.GT, best);
            best = best.blend(gain, better);
            inverse = inverse.blend(b, better);
            scale = scale.blend(fitB.div(squareB), better);
        }
        inverse.intoArray(inverses, 0);
        scale.intoArray(scales, 0);
    }

    /**
     * {@code v * inverse}, rounded and cut to -8 to 7. Whole numbers are the low bits of a float of {@link #ROUNDING}'s size;
     * as integers they are cut by one instruction each, where floats would have to look for NaN.
     */
    private static FloatVector round(FloatVector v, FloatVector inverse) {
        return v.fma(inverse, FloatVector.broadcast(LANES, ROUNDING))
                .reinterpretAsInts()
                .min(ROUNDING_BITS + 7)
                .max(ROUNDING_BITS - 8)
                .reinterpretAsFloats()
                .sub(ROUNDING);
    }
}
