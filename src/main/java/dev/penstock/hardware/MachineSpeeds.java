package dev.penstock.hardware;

import java.util.OptionalDouble;

/**
 * What the processor was measured to do, with so many threads.
 *
 * @param threads that worked together
 * @param readBytesPerSecond memory read bandwidth
 * @param fp32OperationsPerSecond 32-bit multiplications and additions, two for a fused one
 * @param int8OperationsPerSecond 8-bit multiplications and additions into 32 bits; empty where no instruction does four at
 *     once in each lane
 */
public record MachineSpeeds(
        int threads,
        double readBytesPerSecond,
        double fp32OperationsPerSecond,
        OptionalDouble int8OperationsPerSecond) {

    /** Operations a second with 8-bit integers, of so many threads; empty where there is nothing to measure. */
    @FunctionalInterface
    public interface Int8Probe {
        /** Measures; takes less than a second. */
        OptionalDouble measure(int threads);
    }

    /** Measures; takes a second or two with all these threads busy. */
    public static MachineSpeeds measure(int threads, Int8Probe int8) {
        return new MachineSpeeds(
                threads, MemoryBandwidth.measure(threads), ComputePeak.measureFp32(threads), int8.measure(threads));
    }
}
