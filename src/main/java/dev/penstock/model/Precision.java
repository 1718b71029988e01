package dev.penstock.model;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** How the weights of a variant are stored. */
public enum Precision {
    /** 32-bit floating point. */
    FP32,
    /** 16-bit floating point; for CUDA. */
    FP16,
    /** 8-bit integers in blocks of 32 with a scale each. */
    INT8,
    /** 4-bit integers in blocks of 32 with a scale each; embedding table and head stay at 8 bits. */
    INT4,
    /** As {@link #INT4}, but with the matrices of each layer that suffer most from rounding at 8 bits. */
    MIXED;

    /** The name used in configuration, on the command line and in metrics: lower case. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether some of its codes have 4 bits. */
    public boolean has4Bits() {
        return this == INT4 || this == MIXED;
    }

    /** All labels, for messages: {@code fp32, fp16, int8, int4, mixed}. */
    public static String labels() {
        return Arrays.stream(values()).map(Precision::label).collect(Collectors.joining(", "));
    }

    /** The precision of that label, whatever its case; empty if there is none. */
    public static Optional<Precision> ofLabel(String label) {
        return Arrays.stream(values())
                .filter(p -> p.label().equals(label.toLowerCase(Locale.ROOT)))
                .findFirst();
    }
}
