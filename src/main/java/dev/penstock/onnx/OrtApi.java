package dev.penstock.onnx;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The functions of ONNX Runtime's C API that this package calls: {@code struct OrtApi} of onnxruntime_c_api.h, a table of
 * function pointers whose places never change. Pointers are plain longs here (one register either way), so that calls
 * in both directions allocate nothing. Functions that return {@code OrtStatus*} return it as a long: {@link #check}.
 */
final class OrtApi {
    /** Version of the table that is asked for; ONNX Runtime serves older callers. */
    static final int VERSION = 29;

    static final int OK = 0;
    /** OrtErrorCode ORT_FAIL. */
    static final int FAIL = 1;

    private static final Linker LINKER = Linker.nativeLinker();
    /** The table's length in 1.29. */
    private static final int FUNCTIONS = 424;
    /** Longest message that is read, so that a stray pointer does no more harm than it must. */
    private static final long MAX_STRING_BYTES = 1 << 16;

    private static final MemorySegment TABLE = table();
    /** Address of the table, as upcalls get it. */
    static final long ADDRESS = TABLE.address();

    private static final MethodHandle CREATE_STATUS = function(0, JAVA_INT, JAVA_LONG);
    private static final MethodHandle GET_ERROR_MESSAGE = function(2, JAVA_LONG);
    private static final MethodHandle RELEASE_STATUS = procedure(93);

    static final MethodHandle CREATE_ENV = function(3, JAVA_INT, JAVA_LONG, JAVA_LONG);
    static final MethodHandle CREATE_SESSION = function(7, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle CREATE_SESSION_FROM_ARRAY =
            function(8, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle CREATE_SESSION_OPTIONS = function(10, JAVA_LONG);
    static final MethodHandle SET_OPTIMIZED_MODEL_FILE_PATH = function(11, JAVA_LONG, JAVA_LONG);
    static final MethodHandle ENABLE_PROFILING = function(14, JAVA_LONG, JAVA_LONG);
    static final MethodHandle DISABLE_MEM_PATTERN = function(17, JAVA_LONG);
    static final MethodHandle DISABLE_CPU_MEM_ARENA = function(19, JAVA_LONG);
    static final MethodHandle SET_SESSION_LOG_SEVERITY_LEVEL = function(22, JAVA_LONG, JAVA_INT);
    static final MethodHandle SET_GRAPH_OPTIMIZATION_LEVEL = function(23, JAVA_LONG, JAVA_INT);
    static final MethodHandle SET_INTRA_OP_NUM_THREADS = function(24, JAVA_LONG, JAVA_INT);
    static final MethodHandle SET_INTER_OP_NUM_THREADS = function(25, JAVA_LONG, JAVA_INT);
    static final MethodHandle CREATE_CUSTOM_OP_DOMAIN = function(26, JAVA_LONG, JAVA_LONG);
    static final MethodHandle CUSTOM_OP_DOMAIN_ADD = function(27, JAVA_LONG, JAVA_LONG);
    static final MethodHandle ADD_CUSTOM_OP_DOMAIN = function(28, JAVA_LONG, JAVA_LONG);
    static final MethodHandle SESSION_GET_INPUT_COUNT = function(30, JAVA_LONG, JAVA_LONG);
    static final MethodHandle SESSION_GET_OUTPUT_COUNT = function(31, JAVA_LONG, JAVA_LONG);
    static final MethodHandle SESSION_GET_INPUT_TYPE_INFO = function(33, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle SESSION_GET_OUTPUT_TYPE_INFO = function(34, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle SESSION_GET_INPUT_NAME = function(36, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle SESSION_GET_OUTPUT_NAME = function(37, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle CREATE_TENSOR_WITH_DATA =
            function(49, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG);
    static final MethodHandle GET_TENSOR_MUTABLE_DATA = function(51, JAVA_LONG, JAVA_LONG);
    static final MethodHandle CAST_TYPE_INFO_TO_TENSOR_INFO = function(55, JAVA_LONG, JAVA_LONG);
    static final MethodHandle GET_TENSOR_ELEMENT_TYPE = function(60, JAVA_LONG, JAVA_LONG);
    static final MethodHandle GET_DIMENSIONS_COUNT = function(61, JAVA_LONG, JAVA_LONG);
    static final MethodHandle GET_DIMENSIONS = function(62, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle CREATE_MEMORY_INFO = function(68, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    static final MethodHandle CREATE_CPU_MEMORY_INFO = function(69, JAVA_INT, JAVA_INT, JAVA_LONG);
    static final MethodHandle ALLOCATOR_ALLOC = function(75, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle ALLOCATOR_FREE = function(76, JAVA_LONG, JAVA_LONG);
    static final MethodHandle GET_ALLOCATOR_WITH_DEFAULT_OPTIONS = function(78, JAVA_LONG);
    static final MethodHandle KERNEL_INFO_GET_ATTRIBUTE_FLOAT = function(85, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle KERNEL_INFO_GET_ATTRIBUTE_INT64 = function(86, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle KERNEL_CONTEXT_GET_INPUT = function(90, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle KERNEL_CONTEXT_GET_OUTPUT =
            function(91, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle RELEASE_MEMORY_INFO = procedure(94);
    static final MethodHandle RELEASE_SESSION = procedure(95);
    static final MethodHandle RELEASE_VALUE = procedure(96);
    static final MethodHandle RELEASE_TYPE_INFO = procedure(98);
    static final MethodHandle RELEASE_SESSION_OPTIONS = procedure(100);
    static final MethodHandle RELEASE_CUSTOM_OP_DOMAIN = procedure(101);
    static final MethodHandle CREATE_ALLOCATOR = function(131, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle RELEASE_ALLOCATOR = procedure(132);
    static final MethodHandle ADD_SESSION_CONFIG_ENTRY = function(130, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle RUN_WITH_BINDING = function(133, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle CREATE_IO_BINDING = function(134, JAVA_LONG, JAVA_LONG);
    static final MethodHandle RELEASE_IO_BINDING = procedure(135);
    static final MethodHandle BIND_INPUT = function(136, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle BIND_OUTPUT = function(137, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle SYNCHRONIZE_BOUND_INPUTS = function(202, JAVA_LONG);
    static final MethodHandle SYNCHRONIZE_BOUND_OUTPUTS = function(203, JAVA_LONG);
    static final MethodHandle APPEND_CUDA_PROVIDER = function(204, JAVA_LONG, JAVA_LONG);
    static final MethodHandle CREATE_CUDA_OPTIONS = function(205, JAVA_LONG);
    static final MethodHandle UPDATE_CUDA_OPTIONS = function(206, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle RELEASE_CUDA_OPTIONS = procedure(208);
    static final MethodHandle KERNEL_INFO_GET_INPUT_NAME = function(232, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle KERNEL_CONTEXT_PARALLEL_FOR =
            function(274, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle GET_TENSOR_TYPE_AND_SHAPE_DATA =
            function(414, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    private OrtApi() {}

    private static MemorySegment table() {
        try {
            Telemetry.disable();
            SymbolLookup library = SymbolLookup.libraryLookup(NativeLibrary.find(), Arena.global());
            MethodHandle getBase = LINKER.downcallHandle(
                    library.findOrThrow("OrtGetApiBase"), FunctionDescriptor.of(ValueLayout.ADDRESS));
            MemorySegment base = ((MemorySegment) getBase.invokeExact()).reinterpret(2 * JAVA_LONG.byteSize());
            MethodHandle getApi = LINKER.downcallHandle(
                    base.get(ValueLayout.ADDRESS, 0), FunctionDescriptor.of(ValueLayout.ADDRESS, JAVA_INT));
            MemorySegment table = (MemorySegment) getApi.invokeExact(VERSION);
            if (table.address() == 0) {
                throw new OnnxException("this ONNX Runtime is older than version 1." + VERSION);
            }
            return table.reinterpret(FUNCTIONS * ValueLayout.ADDRESS.byteSize());
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    private static MethodHandle function(int index, MemoryLayout... arguments) {
        return LINKER.downcallHandle(pointer(index), FunctionDescriptor.of(JAVA_LONG, arguments));
    }

    private static MethodHandle procedure(int index) {
        return LINKER.downcallHandle(pointer(index), FunctionDescriptor.ofVoid(JAVA_LONG));
    }

    private static MemorySegment pointer(int index) {
        return TABLE.getAtIndex(ValueLayout.ADDRESS, index);
    }

    /** Takes a status, frees it, and throws OnnxException with its message unless it says that all went well. */
    static void check(long status) {
        if (status == OK) {
            return;
        }
        String message;
        try {
            message = string((long) GET_ERROR_MESSAGE.invokeExact(status));
            RELEASE_STATUS.invokeExact(status);
        } catch (Throwable e) {
            throw rethrow(e);
        }
        throw new OnnxException(message);
    }

    /** A new status with this message, for ONNX Runtime to free; it copies the message. */
    static long failure(String message) {
        try (Arena arena = Arena.ofConfined()) {
            return (long)
                    CREATE_STATUS.invokeExact(FAIL, arena.allocateFrom(message).address());
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** Calls a release function. */
    static void release(MethodHandle release, long pointer) {
        try {
            release.invokeExact(pointer);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** A call that writes a pointer to the address that it is given and returns a status. */
    @FunctionalInterface
    interface Create {
        long call(long result) throws Throwable;
    }

    /** What a call created. */
    static long create(Create create) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = arena.allocate(JAVA_LONG);
            check(create.call(result.address()));
            return result.get(JAVA_LONG, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** The string at an address, ended by a zero byte. */
    static String string(long address) {
        return MemorySegment.ofAddress(address).reinterpret(MAX_STRING_BYTES).getString(0);
    }

    /** What a method handle threw, as it is where it needs no declaration. */
    static RuntimeException rethrow(Throwable e) {
        return switch (e) {
            case RuntimeException runtime -> runtime;
            case Error error -> throw error;
            default -> new OnnxException("a call of ONNX Runtime failed: " + e, e);
        };
    }
}
