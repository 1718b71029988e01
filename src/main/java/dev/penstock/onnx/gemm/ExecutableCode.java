package dev.penstock.onnx.gemm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.List;

/**
 * Machine code in memory of its own, written once, then readable and executable but not writable. It is never freed:
 * there is one for the life of the process.
 */
final class ExecutableCode {
    // mmap(2) and mprotect(2) on Linux, x86-64.
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int PROT_EXEC = 4;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final long MAP_FAILED = -1;

    /** Functions begin on cache lines. */
    private static final int ALIGNMENT = 64;

    private final MemorySegment[] functions;

    /**
     * Places these functions in memory.
     *
     * @throws IllegalStateException the operating system refuses memory that can be executed
     */
    ExecutableCode(List<byte[]> codes) {
        functions = new MemorySegment[codes.size()];
        long size = codes.stream().mapToLong(c -> align(c.length)).sum();
        MemorySegment memory = map(size);
        long offset = 0;
        for (int i = 0; i < functions.length; i++) {
            byte[] code = codes.get(i);
            MemorySegment.copy(MemorySegment.ofArray(code), 0, memory, offset, code.length);
            functions[i] = memory.asSlice(offset, code.length);
            offset += align(code.length);
        }
        protect(memory);
    }

    /** A handle on one of the functions; it must return soon, since garbage collection waits for it. */
    MethodHandle handle(int function, FunctionDescriptor type) {
        return Linker.nativeLinker().downcallHandle(functions[function], type, Linker.Option.critical(false));
    }

    private static long align(long size) {
        return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    private static MemorySegment map(long size) {
        MethodHandle mmap = libc(
                "mmap", FunctionDescriptor.of(JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
        long address;
        try {
            address = (long) mmap.invokeExact(
                    MemorySegment.NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
        } catch (Throwable e) {
            throw new IllegalStateException("mmap can't be called", e);
        }
        if (address == MAP_FAILED) {
            throw new IllegalStateException("no memory for " + size + " bytes of machine code");
        }
        return MemorySegment.ofAddress(address).reinterpret(size, Arena.global(), null);
    }

    private static void protect(MemorySegment memory) {
        MethodHandle mprotect = libc("mprotect", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
        int failed;
        try {
            failed = (int) mprotect.invokeExact(memory, memory.byteSize(), PROT_READ | PROT_EXEC);
        } catch (Throwable e) {
            throw new IllegalStateException("mprotect can't be called", e);
        }
        if (failed != 0) {
            throw new IllegalStateException("the operating system refuses memory that can be executed");
        }
    }

    private static MethodHandle libc(String name, FunctionDescriptor type) {
        SymbolLookup lookup = Linker.nativeLinker().defaultLookup();
        return Linker.nativeLinker().downcallHandle(lookup.findOrThrow(name), type);
    }
}
