package dev.penstock.model;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How the weights of a variant are stored. */
public enum Precision {
    /** 32-bit floating point. */
    FP32,
    /** 8-bit integers in blocks of 32 with a 32-bit scale each. */
    INT8,
    /** 4-bit integers in blocks of 32 with a 32-bit scale each; the head stays at 8 bits. */
    INT4;

    /** The name used in configuration, on the command line and in metrics: lower case. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The precision of that label, whatever its case; empty if there is none. */
    public static Optional<Precision> ofLabel(String label) {
        return Arrays.stream(values())
                .filter(p -> p.label().equals(label.toLowerCase(Locale.ROOT)))
                .findFirst();
    }
}
