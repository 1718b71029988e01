package dev.penstock.weights;

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
}
