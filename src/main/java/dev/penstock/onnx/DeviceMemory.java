package dev.penstock.onnx;

import java.lang.foreign.MemorySegment;

/** One piece of memory of the device that a session runs on. */
public sealed interface DeviceMemory extends AutoCloseable permits LazyMemory, CudaMemory {
    /**
     * Where it is; not to be used after {@link #close}. Memory of a GPU can be cut into slices and bound, but not read or
     * written from here.
     */
    MemorySegment segment();

    @Override
    void close();
}
