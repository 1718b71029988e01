package dev.penstock.model;

import java.util.Locale;

/** How one number of the KV cache is stored. */
public enum KvType {
    /** IEEE 754 binary32. */
    FP32(4),
    /** IEEE 754 binary16. */
    FP16(2);

    private final int bytes;

    KvType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one number. */
    public int bytes() {
        return bytes;
    }

    /** The name used in configuration and metrics: lower case. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
