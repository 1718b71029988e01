package dev.penstock.hardware;

import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * A GPU of NVIDIA, as its driver sees it now.
 *
 * @param index its number, in the order of PCI buses
 * @param name what it is called
 * @param totalBytes its memory
 * @param freeBytes what is left of it
 * @param busyPercent share of the last second in which it computed; empty where it does not tell
 * @param powerWatts what it draws; empty where it does not tell
 * @param computeCapability major and minor version, such as {@code 9.0}; empty text where it does not tell
 * @param mig whether it is cut into instances, each a device of its own
 */
public record Gpu(
        int index,
        String name,
        long totalBytes,
        long freeBytes,
        OptionalInt busyPercent,
        OptionalDouble powerWatts,
        String computeCapability,
        boolean mig) {
    /** What intermediate results, cuBLAS and the driver are left. */
    private static final long REST_BYTES = 2L << 30;

    /** Bytes that a model's weights and KV cache may take. */
    public long usableBytes() {
        return Math.max(0, freeBytes - REST_BYTES);
    }
}
