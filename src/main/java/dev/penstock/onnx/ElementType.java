package dev.penstock.onnx;

/** Type of a tensor's numbers, as far as graphs here have them. */
public enum ElementType {
    /** 32-bit float. */
    FLOAT(1, 4),
    /** 8-bit unsigned integer. */
    UINT8(2, 1),
    /** 8-bit integer. */
    INT8(3, 1),
    /** 32-bit integer. */
    INT32(6, 4),
    /** 64-bit integer. */
    INT64(7, 8),
    /** IEEE 754 binary16. */
    FLOAT16(10, 2);

    private final int code;
    private final int bytes;

    ElementType(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }

    /** The number that ONNX gives the type (TensorProto.DataType). */
    int code() {
        return code;
    }

    /** Bytes of one number. */
    public int bytes() {
        return bytes;
    }

    /** The type of this number in ONNX; throws OnnxException for one that no graph here has. */
    static ElementType ofCode(int code) {
        for (ElementType type : values()) {
            if (type.code == code) {
                return type;
            }
        }
        throw new OnnxException("tensors of ONNX type " + code + " are not supported");
    }
}
