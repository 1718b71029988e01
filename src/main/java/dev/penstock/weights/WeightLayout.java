package dev.penstock.weights;

import dev.penstock.onnx.gemm.PackedGemm;

/** How the quantised matrices of a variant lie in memory, and with that the operator that multiplies by them. */
public enum WeightLayout {
    /** Rows of codes and rows of 32-bit scales, for com.microsoft.MatMulNBits: runs wherever ONNX Runtime does. */
    STANDARD,
    /** Panels with 16-bit scales ({@link dev.penstock.onnx.gemm.PackedLayout}), for processors with AVX-512 VNNI. */
    PACKED;

    /** The faster one of those that run on this machine. */
    public static WeightLayout ofThisMachine() {
        return PackedGemm.supported() ? PACKED : STANDARD;
    }
}
