package dev.penstock.model;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** How numbers of the KV cache are stored. */
public enum KvType {
    /** IEEE 754 binary32. */
    FP32(4, 0),
    /** IEEE 754 binary16. */
    FP16(2, 0),
    /** 8-bit integers, with a 32-bit scale for each head's key and for its value of each token. */
    INT8(1, 4);

    private final int bytes;
    private final int scaleBytes;

    KvType(int bytes, int scaleBytes) {
        this.bytes = bytes;
        this.scaleBytes = scaleBytes;
    }

    /** Bytes of one head's key, or value, of a token. */
    public int headBytes(int headSize) {
        return headSize * bytes + scaleBytes;
    }

    /** The last dimension of a cache as a tensor of this type: numbers of a head, and what its scale takes beside them. */
    public int headNumbers(int headSize) {
        return headBytes(headSize) / bytes;
    }

    /** The width of a head whose tensor has this last dimension. */
    public int headSize(int headNumbers) {
        return headNumbers - scaleBytes / bytes;
    }

    /** The name used in configuration and metrics: lower case. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The type of that label, whatever its case; empty if there is none. */
    public static Optional<KvType> ofLabel(String label) {
        return Arrays.stream(values())
                .filter(k -> k.label().equals(label.toLowerCase(Locale.ROOT)))
                .findFirst();
    }

    /** All labels, for messages. */
    public static String labels() {
        return Arrays.stream(values()).map(KvType::label).collect(Collectors.joining(", "));
    }
}
