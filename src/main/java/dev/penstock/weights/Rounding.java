package dev.penstock.weights;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How the scale of a block of 4-bit codes is found; the result is stored in the same bytes. */
public enum Rounding {
    /** The number of largest magnitude gets the lowest code, all others the nearest one: the baseline. */
    NEAREST,
    /** The scale of least squared error among several, see {@link ScaleSearch}. */
    SEARCH;

    /** The name used in configuration, on the command line and in reports: lower case. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The rounding of that label, whatever its case; empty if there is none. */
    public static Optional<Rounding> ofLabel(String label) {
        return Arrays.stream(values())
                .filter(r -> r.label().equals(label.toLowerCase(Locale.ROOT)))
                .findFirst();
    }
}
