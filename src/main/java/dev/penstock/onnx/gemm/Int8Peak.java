package dev.penstock.onnx.gemm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.penstock.hardware.ParallelTiming;
import dev.penstock.onnx.gemm.X86Assembler.Mem;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.OptionalDouble;

/** How fast this machine multiplies and adds 8-bit integers with the instruction of our kernels: the bound of their prefill. */
public final class Int8Peak {
    /** Independent sums, more than the instruction's latency times its pipes. */
    private static final int SUMS = 16;

    private static final int FACTOR = SUMS;
    /** Garbage collection waits for a call: one takes less than a millisecond. */
    private static final int STEPS = 20_000;

    private static final int CALLS = 100;
    private static final int ROUNDS = 5;
    /** Multiplications and additions of one instruction: 16 lanes of four bytes. */
    private static final int OPERATIONS = 2 * 16 * 4;

    private Int8Peak() {}

    /** Operations a second of so many threads, the best of several rounds; empty where our kernels don't run. */
    public static OptionalDouble measure(int threads) {
        if (!VnniKernels.supported()) {
            return OptionalDouble.empty();
        }
        MethodHandle dots =
                new ExecutableCode(List.of(code())).handle(0, FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG));
        try (Arena arena = Arena.ofShared()) {
            long bytes = arena.allocate(64, 64).address();
            double seconds = ParallelTiming.bestSeconds(threads, ROUNDS, thread -> run(dots, bytes));
            return OptionalDouble.of((double) OPERATIONS * SUMS * STEPS * CALLS * threads / seconds);
        }
    }

    private static double run(MethodHandle dots, long bytes) {
        try {
            for (int i = 0; i < CALLS; i++) {
                dots.invokeExact(bytes, (long) STEPS);
            }
            return CALLS;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** {@code void (bytes rdi, steps rsi)}. */
    private static byte[] code() {
        X86Assembler asm = new X86Assembler();
        for (int i = 0; i <= FACTOR; i++) {
            asm.zero(i);
        }
        int loop = asm.here();
        for (int i = 0; i < SUMS; i++) {
            asm.dotBytes(i, FACTOR, new Mem(X86Assembler.RDI, 0));
        }
        asm.decrement(X86Assembler.RSI);
        asm.jumpIfNotZero(loop);
        asm.returnFromVectorCode();
        return asm.bytes();
    }
}
