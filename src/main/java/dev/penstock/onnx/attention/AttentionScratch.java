package dev.penstock.onnx.attention;

import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/**
 * Working memory of attention nodes that run one after the other: one part for each worker, and the partial results of
 * tiles whose keys were split among workers. It grows to the largest need and is freed by {@link #close}.
 */
public final class AttentionScratch implements AutoCloseable {
    private static final long ALIGNMENT = 64;

    private @Nullable Arena arena;
    private long address;
    private long capacity;

    /** Room for {@code bytes}, aligned to 64 bytes; what the last call returned is no longer valid. */
    long reserve(long bytes) {
        if (bytes > capacity) {
            close();
            Arena fresh = Arena.ofShared();
            address = fresh.allocate(bytes, ALIGNMENT).address();
            arena = fresh;
            capacity = bytes;
        }
        return address;
    }

    static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    }

    @Override
    public void close() {
        if (arena != null) {
            arena.close();
            arena = null;
            capacity = 0;
        }
    }
}
