package dev.penstock.model;

import java.util.Locale;

/** What an encoder makes of its input. */
public enum EncoderTask {
    /** A vector for each text. */
    EMBED,
    /** A score for each pair of a query and a document. */
    RERANK;

    /** The name used in configuration and on the command line: lower case. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
