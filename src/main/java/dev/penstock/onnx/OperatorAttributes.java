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
