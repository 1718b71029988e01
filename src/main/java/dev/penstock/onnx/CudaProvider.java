package dev.penstock.onnx;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.penstock.model.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;

/** ONNX Runtime's CUDA provider, which the library in the jar does not have: see {@link NativeLibrary}. */
final class CudaProvider {
    /** OrtDeviceAllocator, OrtMemTypeDefault. */
    private static final int DEVICE_ALLOCATOR = 0;

    private static final int DEFAULT_MEMORY = 0;

    private CudaProvider() {}

    /** Throws OnnxException where this library has no CUDA, or CUDA's own libraries are not there. */
    static void require(Device.Cuda device) {
        long options = OrtApi.create(result -> (long) OrtApi.CREATE_SESSION_OPTIONS.invokeExact(result));
        try {
            append(options, device);
        } finally {
            OrtApi.release(OrtApi.RELEASE_SESSION_OPTIONS, options);
        }
    }

    /** Lets sessions with these OrtSessionOptions run on the device; throws OnnxException. */
    static void append(long options, Device.Cuda device) {
        Map<String, String> settings = new TreeMap<>(Map.of(
                "device_id", Integer.toString(device.index()),
                // Not the next power of two: the KV cache may be most of the memory.
                "arena_extend_strategy", "kSameAsRequested",
                // No operator of our graphs needs it, so it need not be installed.
                "enable_cudnn", "0"));
        try (Arena arena = Arena.ofConfined()) {
            OnnxSession.loadLibrary(); // providers want an environment
            long cuda = OrtApi.create(result -> (long) OrtApi.CREATE_CUDA_OPTIONS.invokeExact(result));
            try {
                long keys = strings(settings.keySet(), arena);
                long values = strings(settings.values(), arena);
                long count = settings.size();
                OrtApi.check((long) OrtApi.UPDATE_CUDA_OPTIONS.invokeExact(cuda, keys, values, count));
                OrtApi.check((long) OrtApi.APPEND_CUDA_PROVIDER.invokeExact(options, cuda));
            } finally {
                OrtApi.release(OrtApi.RELEASE_CUDA_OPTIONS, cuda);
            }
        } catch (OnnxException e) {
            throw new OnnxException(
                    "%s can't be used: %s. The ONNX Runtime that was loaded is %s; a GPU needs the one of onnxruntime_gpu in a folder that %s names, CUDA 12 and NVIDIA's driver (docs/configuration.md)"
                            .formatted(
                                    device.label(),
                                    String.valueOf(e.getMessage()).replaceFirst("[.\\s]+$", ""),
                                    NativeLibrary.find(),
                                    NativeLibrary.FOLDER_VARIABLE),
                    e);
        } catch (Throwable e) {
            throw OrtApi.rethrow(e);
        }
    }

    /** The OrtMemoryInfo of the device's memory, to be released. */
    static long memoryInfo(Device.Cuda device) {
        try (Arena arena = Arena.ofConfined()) {
            long name = arena.allocateFrom("Cuda").address();
            int index = device.index();
            return OrtApi.create(result -> (long)
                    OrtApi.CREATE_MEMORY_INFO.invokeExact(name, DEVICE_ALLOCATOR, index, DEFAULT_MEMORY, result));
        }
    }

    /** An array of pointers to C strings. */
    private static long strings(Collection<String> texts, Arena arena) {
        long[] addresses =
                texts.stream().mapToLong(t -> arena.allocateFrom(t).address()).toArray();
        MemorySegment array = arena.allocateFrom(JAVA_LONG, addresses);
        return array.address();
    }
}
