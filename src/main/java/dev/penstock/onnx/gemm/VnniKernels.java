package dev.penstock.onnx.gemm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.penstock.hardware.Processor;
import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/** The kernels of {@link KernelCode} and {@link GateCode} in executable memory, for the life of the process. */
final class VnniKernels {
    private static final FunctionDescriptor SIX_LONGS =
            FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    private static final FunctionDescriptor FIVE_LONGS =
            FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    private static final int[] BITS = {4, 8};

    private static final MethodHandle[][] MULTIPLY;
    private static final MethodHandle[] QUANTISE;
    private static final MethodHandle[] GATE;

    static {
        List<byte[]> codes = new ArrayList<>();
        for (int bits : BITS) {
            codes.add(KernelCode.quantise(bits));
            for (int rows = 1; rows <= KernelCode.MAX_TILE_ROWS; rows++) {
                codes.add(KernelCode.multiply(bits, rows));
            }
        }
        for (Activation activation : Activation.values()) {
            codes.add(GateCode.gate(activation));
        }
        ExecutableCode code = new ExecutableCode(codes);
        MULTIPLY = new MethodHandle[BITS.length][KernelCode.MAX_TILE_ROWS];
        QUANTISE = new MethodHandle[BITS.length];
        int function = 0;
        for (int b = 0; b < BITS.length; b++) {
            QUANTISE[b] = code.handle(function++, SIX_LONGS);
            for (int r = 0; r < KernelCode.MAX_TILE_ROWS; r++) {
                MULTIPLY[b][r] = code.handle(function++, FIVE_LONGS);
            }
        }
        GATE = new MethodHandle[Activation.values().length];
        for (int a = 0; a < GATE.length; a++) {
            GATE[a] = code.handle(function++, FIVE_LONGS);
        }
    }

    private VnniKernels() {}

    /** Whether this machine runs them: Linux on x86-64 with AVX-512 F, BW, VL and VNNI. */
    static boolean supported() {
        return Support.YES;
    }

    private static final class Support {
        private static final List<String> NEEDED = List.of("avx512f", "avx512bw", "avx512vl", "avx512_vnni");
        static final boolean YES = System.getProperty("os.arch").equals("amd64")
                && Processor.here().vectorFeatures().containsAll(NEEDED);
    }

    /** {@link KernelCode#multiply}. */
    static void multiply(int bits, int rows, long panel, long tile, long output, long outputStrideBytes, long pairs) {
        try {
            MULTIPLY[bits / 8][rows - 1].invokeExact(panel, tile, output, outputStrideBytes, pairs);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** {@link KernelCode#quantise}. */
    static void quantise(
            int weightBits, long row, long bytes, long scales, long starts, long blockStrideBytes, long blocks) {
        try {
            QUANTISE[weightBits / 8].invokeExact(row, bytes, scales, starts, blockStrideBytes, blocks);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** {@link GateCode#gate}. */
    static void gate(Activation activation, long gate, long up, long output, long outputStrideBytes, long rows) {
        try {
            GATE[activation.ordinal()].invokeExact(gate, up, output, outputStrideBytes, rows);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
