package dev.penstock.weights;

import java.util.List;

/** How the frequencies of the rotary embedding are stretched for contexts longer than those first trained on. */
public sealed interface RopeScaling {

    /** Frequencies as the theta gives them. */
    record None() implements RopeScaling {}

    /**
     * Positions divided by a factor (Chen et al. 2023, position interpolation).
     *
     * @param factor at least 1
     */
    record Linear(double factor) implements RopeScaling {}

    /**
     * LLaMA 3.1: long wavelengths are divided by the factor, short ones kept, those between interpolated.
     *
     * @param factor what long wavelengths are divided by
     * @param lowFreqFactor wavelengths over {@code originalContext / lowFreqFactor} are long
     * @param highFreqFactor wavelengths under {@code originalContext / highFreqFactor} are short
     * @param originalContext the context length first trained on
     */
    record Llama3(double factor, double lowFreqFactor, double highFreqFactor, int originalContext)
            implements RopeScaling {}

    /**
     * LongRoPE (Ding et al. 2024): each frequency is divided by a factor of its own, from one list for contexts up to
     * the original one and from another for longer ones. The choice goes by the context that a variant is built for, so
     * that it is the same for all tokens in a cache.
     *
     * @param shortFactors one for each frequency
     * @param longFactors likewise
     * @param originalContext the context length first trained on
     * @param magnitude factor of rotated queries and keys
     */
    record LongRope(List<Double> shortFactors, List<Double> longFactors, int originalContext, double magnitude)
            implements RopeScaling {
        /** Copies the lists. */
        public LongRope {
            shortFactors = List.copyOf(shortFactors);
            longFactors = List.copyOf(longFactors);
        }
    }
}
