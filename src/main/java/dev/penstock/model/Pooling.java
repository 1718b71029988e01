package dev.penstock.model;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** How the vectors of a text's tokens become the one of the text. */
public enum Pooling {
    /** Their mean. */
    MEAN,
    /** That of the first token. */
    CLS,
    /** That of the last token. */
    LAST;

    /** The name used in configuration and on the command line: lower case. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** All labels, for messages. */
    public static String labels() {
        return Arrays.stream(values()).map(Pooling::label).collect(Collectors.joining(", "));
    }

    /** The pooling of that label, whatever its case; empty if there is none. */
    public static Optional<Pooling> ofLabel(String label) {
        return Arrays.stream(values())
                .filter(p -> p.label().equals(label.toLowerCase(Locale.ROOT)))
                .findFirst();
    }
}
