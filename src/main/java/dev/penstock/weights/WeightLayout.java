package dev.penstock.weights;

import dev.penstock.model.Device;
import dev.penstock.onnx.gemm.PackedGemm;

/** How the matrices of a variant lie in memory, and with that the operators of its graph and what they run on. */
public enum WeightLayout {
    /** Rows of codes and rows of 32-bit scales, for com.microsoft.MatMulNBits: runs wherever ONNX Runtime does. */
    STANDARD,
    /** Panels with 16-bit scales ({@link dev.penstock.onnx.gemm.PackedLayout}), for processors with AVX-512 VNNI. */
    PACKED,
    /**
     * As {@link #STANDARD} with all numbers in 16 bits, for the operators of ONNX Runtime's CUDA provider, attention among
     * them.
     */
    CUDA;

    /** The fastest one that runs on a device. */
    public static WeightLayout of(Device device) {
        return device instanceof Device.Cuda ? CUDA : ofThisMachine();
    }

    /** The faster one of those that run on this machine's processor. */
    public static WeightLayout ofThisMachine() {
        return PackedGemm.supported() ? PACKED : STANDARD;
    }
}
