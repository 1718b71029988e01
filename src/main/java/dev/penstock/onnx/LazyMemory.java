package dev.penstock.onnx;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Locale;

/**
 * One piece of zeroed memory, aligned to a page, that takes up memory only where it is touched: a KV cache can be as
 * large as a model's context allows and costs what its sequences use. Freed by {@link #close}.
 */
public final class LazyMemory implements DeviceMemory {
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_PRIVATE = 2;

    private final Arena arena;
    private final MemorySegment segment;

    private LazyMemory(Arena arena, MemorySegment segment) {
        this.arena = arena;
        this.segment = segment;
    }

    /** So many bytes; throws OnnxException if the system refuses them. */
    public static LazyMemory allocate(long bytes) {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        Arena arena = Arena.ofShared();
        try {
            if (os.contains("linux")) {
                return new LazyMemory(arena, map(arena, bytes, 0x20 | 0x4000)); // MAP_ANONYMOUS, MAP_NORESERVE
            }
            if (os.contains("mac")) {
                return new LazyMemory(arena, map(arena, bytes, 0x1000 | 0x40));
            }
            return new LazyMemory(arena, arena.allocate(bytes, 4096)); // zeroed at once, by the JDK
        } catch (OutOfMemoryError | RuntimeException e) {
            arena.close();
            throw new OnnxException("cannot allocate %d MiB: %s".formatted(bytes >> 20, e.getMessage()), e);
        }
    }

    private static MemorySegment map(Arena arena, long bytes, int flags) {
        try {
            long address = (long) Mmap.MAP.invokeExact(0L, bytes, PROT_READ_WRITE, MAP_PRIVATE | flags, -1, 0L);
            if (address == -1) {
                throw new OnnxException("the system refused the mapping");
            }
            return MemorySegment.ofAddress(address).reinterpret(bytes, arena, LazyMemory::unmap);
        } catch (Throwable e) {
            throw OrtApi.rethrow(e);
        }
    }

    private static void unmap(MemorySegment segment) {
        try {
            int result = (int) Mmap.UNMAP.invokeExact(segment.address(), segment.byteSize());
            if (result != 0) {
                throw new OnnxException("munmap failed");
            }
        } catch (Throwable e) {
            throw OrtApi.rethrow(e);
        }
    }

    @Override
    public MemorySegment segment() {
        return segment;
    }

    @Override
    public void close() {
        arena.close();
    }

    /** POSIX mmap and munmap. */
    private static final class Mmap {
        private static final Linker LINKER = Linker.nativeLinker();
        static final MethodHandle MAP = LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow("mmap"),
                FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
        static final MethodHandle UNMAP = LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow("munmap"), FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
    }
}
