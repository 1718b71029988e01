package dev.penstock.onnx;

import dev.penstock.model.Device;
import java.lang.foreign.MemorySegment;

/** Memory of a GPU, from the allocator that a session on it has. */
final class CudaMemory implements DeviceMemory {
    private final long allocator;
    private final MemorySegment segment;
    private boolean open = true;

    private CudaMemory(long allocator, MemorySegment segment) {
        this.allocator = allocator;
        this.segment = segment;
    }

    /** So many bytes; throws OnnxException if there are not so many. */
    static CudaMemory allocate(long session, Device.Cuda device, long bytes) {
        long info = CudaProvider.memoryInfo(device);
        try {
            long allocator = OrtApi.create(result -> (long) OrtApi.CREATE_ALLOCATOR.invokeExact(session, info, result));
            try {
                long address =
                        OrtApi.create(result -> (long) OrtApi.ALLOCATOR_ALLOC.invokeExact(allocator, bytes, result));
                // No scope and no access: the addresses are the GPU's.
                return new CudaMemory(
                        allocator, MemorySegment.ofAddress(address).reinterpret(bytes));
            } catch (OnnxException e) {
                OrtApi.release(OrtApi.RELEASE_ALLOCATOR, allocator);
                throw new OnnxException(
                        "cannot allocate %d MiB on %s: %s".formatted(bytes >> 20, device.label(), e.getMessage()), e);
            }
        } finally {
            OrtApi.release(OrtApi.RELEASE_MEMORY_INFO, info);
        }
    }

    @Override
    public MemorySegment segment() {
        return segment;
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            try {
                OrtApi.check((long) OrtApi.ALLOCATOR_FREE.invokeExact(allocator, segment.address()));
            } catch (Throwable e) {
                throw OrtApi.rethrow(e);
            } finally {
                OrtApi.release(OrtApi.RELEASE_ALLOCATOR, allocator);
            }
        }
    }
}
