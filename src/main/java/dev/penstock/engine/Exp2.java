package dev.penstock.engine;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Powers of two in vectors of 32-bit floats, the same to the last bit on every machine; for exponents from -126 to 0, with
 * an error of about one unit in the last place. The Vector API's own exp falls back to one lane at a time where its
 * native library is missing.
 */
final class Exp2 {
    /** Turns natural exponents into binary ones. */
    static final float LOG2_E = 1.442_695_04f;

    /** 1.5 * 2^23: adding it rounds a small float to an integer, which then stands in the lowest bits. */
    private static final float ROUNDER = 12_582_912f;

    private static final int MANTISSA_BITS = 23;

    // ln(2)^n / n!: the Taylor series, whose rest over [-0.5, 0.5] is 1.2e-7 after the sixth power.
    private static final float C1 = 0.693_147_18f;
    private static final float C2 = 0.240_226_51f;
    private static final float C3 = 0.055_504_109f;
    private static final float C4 = 0.009_618_129f;
    private static final float C5 = 0.001_333_355_8f;
    private static final float C6 = 0.000_154_035_3f;

    private Exp2() {}

    /** 2 to the power of each lane; lanes outside the range hold nonsense. */
    static FloatVector of(FloatVector exponents) {
        FloatVector rounded = exponents.add(ROUNDER);
        IntVector whole = rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, MANTISSA_BITS);
        FloatVector part = exponents.sub(rounded.sub(ROUNDER));
        FloatVector power = FloatVector.broadcast(exponents.species(), C6);
        power = power.fma(part, broadcast(exponents, C5));
        power = power.fma(part, broadcast(exponents, C4));
        power = power.fma(part, broadcast(exponents, C3));
        power = power.fma(part, broadcast(exponents, C2));
        power = power.fma(part, broadcast(exponents, C1));
        power = power.fma(part, broadcast(exponents, 1));
        return power.reinterpretAsInts().add(whole).reinterpretAsFloats();
    }

    private static FloatVector broadcast(FloatVector like, float value) {
        return FloatVector.broadcast(like.species(), value);
    }
}
