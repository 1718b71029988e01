package dev.penstock.weights;

import java.util.Arrays;
import java.util.Optional;

/** Number formats that a safetensors header may name; only some of them are ones that weights can be read from. */
enum TensorType {
    F32(4),
    F16(2),
    BF16(2),
    F64(8),
    F8_E4M3(1),
    F8_E5M2(1),
    I64(8),
    I32(4),
    I16(2),
    I8(1),
    U64(8),
    U32(4),
    U16(2),
    U8(1),
    BOOL(1);

    private final int bytes;

    TensorType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one number. */
    int bytes() {
        return bytes;
    }

    /** Whether {@link FloatReader} knows it. */
    boolean readable() {
        return this == F32 || this == F16 || this == BF16;
    }

    /** The type of that name in a header; empty for one that is not known here. */
    static Optional<TensorType> ofName(String name) {
        return Arrays.stream(values()).filter(t -> t.name().equals(name)).findFirst();
    }
}
