package dev.penstock.onnx;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** The attributes of one node of an operator of ours; only valid while its kernel is made. */
final class OperatorAttributes {
    private final long info;

    /** Over an OrtKernelInfo. */
    OperatorAttributes(long info) {
        this.info = info;
    }

    long integer(String name, long absent) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(JAVA_LONG);
            return found(OrtApi.KERNEL_INFO_GET_ATTRIBUTE_INT64, name, value, arena) ? value.get(JAVA_LONG, 0) : absent;
        }
    }

    float number(String name, float absent) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(JAVA_LONG);
            return found(OrtApi.KERNEL_INFO_GET_ATTRIBUTE_FLOAT, name, value, arena)
                    ? value.get(JAVA_FLOAT, 0)
                    : absent;
        }
    }

    /** The name of an input's tensor in the graph. */
    String inputName(long index) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size = arena.allocate(JAVA_LONG);
            long noBuffer = 0;
            OrtApi.check((long) OrtApi.KERNEL_INFO_GET_INPUT_NAME.invokeExact(info, index, noBuffer, size.address()));
            long name = arena.allocate(size.get(JAVA_LONG, 0)).address();
            OrtApi.check((long) OrtApi.KERNEL_INFO_GET_INPUT_NAME.invokeExact(info, index, name, size.address()));
            return OrtApi.string(name);
        } catch (Throwable e) {
            throw OrtApi.rethrow(e);
        }
    }

    private boolean found(MethodHandle get, String name, MemorySegment value, Arena arena) {
        try {
            long nameAddress = arena.allocateFrom(name).address();
            OrtApi.check((long) get.invokeExact(info, nameAddress, value.address()));
            return true;
        } catch (OnnxException e) { // ONNX Runtime's only way to say that there is no such attribute
            return false;
        } catch (Throwable e) {
            throw OrtApi.rethrow(e);
        }
    }
}
