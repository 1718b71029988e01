package dev.penstock.onnx;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.penstock.model.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Inputs and outputs of a session's runs, over memory of ours: bound once, and again only where a shape or an address
 * changes. The memory must stay valid until it is bound anew or this is closed. For one thread.
 */
public final class OnnxBinding implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final long session;
    private final Device device;
    private final long binding;
    private final long hostMemory;
    private final long deviceMemory;
    private final Set<String> inputs;
    private final Set<String> outputs;
    private final Map<String, Bound> bound = new HashMap<>();
    private boolean open = true;

    /** What stands at a name: the C string, and a tensor over {@code data}. */
    private record Bound(long name, MemorySegment data, long[] shape, long value) {}

    OnnxBinding(long session, Device device, List<TensorSpec> inputs, List<TensorSpec> outputs) {
        this.session = session;
        this.device = device;
        this.inputs = inputs.stream().map(TensorSpec::name).collect(Collectors.toUnmodifiableSet());
        this.outputs = outputs.stream().map(TensorSpec::name).collect(Collectors.toUnmodifiableSet());
        binding = OrtApi.create(result -> (long) OrtApi.CREATE_IO_BINDING.invokeExact(session, result));
        // OrtDeviceAllocator, OrtMemTypeDefault
        hostMemory = OrtApi.create(result -> (long) OrtApi.CREATE_CPU_MEMORY_INFO.invokeExact(0, 0, result));
        deviceMemory = device instanceof Device.Cuda cuda ? CudaProvider.memoryInfo(cuda) : hostMemory;
    }

    /**
     * Lets the input be the start of {@code data} in the host's memory, row-major. On a GPU it is copied at this call, so
     * that what is written later needs another one; on the CPU it is read where it lies.
     *
     * @throws OnnxException there is no such input
     * @throws IllegalArgumentException {@code data} is smaller than the shape
     */
    public void input(String name, ElementType type, MemorySegment data, long... shape) {
        requireInput(name);
        bind(OrtApi.BIND_INPUT, hostMemory, name, type, data, shape);
    }

    /** As {@link #input}, but {@code data} is of {@link OnnxSession#allocate}, and read and written where it lies. */
    public void deviceInput(String name, ElementType type, MemorySegment data, long... shape) {
        requireInput(name);
        bind(OrtApi.BIND_INPUT, deviceMemory, name, type, data, shape);
    }

    /** A wrong name must not reach ONNX Runtime: it would leave the binding in pieces. */
    private void requireInput(String name) {
        if (!inputs.contains(name)) {
            throw new OnnxException("the graph has no input " + name);
        }
    }

    /** Lets the output be written to the start of {@code data} in the host's memory; errors as for {@link #input}. */
    public void output(String name, ElementType type, MemorySegment data, long... shape) {
        if (!outputs.contains(name)) {
            throw new OnnxException("the graph has no output " + name);
        }
        bind(OrtApi.BIND_OUTPUT, hostMemory, name, type, data, shape);
    }

    private void bind(
            MethodHandle bind, long memory, String name, ElementType type, MemorySegment data, long... shape) {
        if (!open) {
            throw new IllegalStateException("the binding is closed");
        }
        Bound before = bound.get(name);
        boolean copied = memory != deviceMemory && bind == OrtApi.BIND_INPUT;
        if (before != null
                && !copied
                && before.data.address() == data.address()
                && before.data.byteSize() == data.byteSize()
                && Arrays.equals(before.shape, shape)) {
            return;
        }
        long bytes = type.bytes();
        for (long d : shape) {
            bytes = Math.multiplyExact(bytes, d);
        }
        if (!data.isNative() || bytes < 0 || bytes > data.byteSize()) {
            throw new IllegalArgumentException("%s: shape %s needs %d bytes outside of the heap, not %d"
                    .formatted(name, Arrays.toString(shape), bytes, data.byteSize()));
        }
        long nameAddress =
                before != null ? before.name : arena.allocateFrom(name).address();
        long value = tensor(memory, type, data, bytes, shape);
        try {
            OrtApi.check((long) bind.invokeExact(binding, nameAddress, value));
        } catch (Throwable e) {
            OrtApi.release(OrtApi.RELEASE_VALUE, value);
            throw OrtApi.rethrow(e);
        }
        bound.put(name, new Bound(nameAddress, data, shape.clone(), value));
        if (before != null) {
            OrtApi.release(OrtApi.RELEASE_VALUE, before.value);
        }
    }

    private long tensor(long memory, ElementType type, MemorySegment data, long bytes, long... shape) {
        try (Arena local = Arena.ofConfined()) {
            long dims = local.allocateFrom(JAVA_LONG, shape).address();
            long address = data.address();
            long rank = shape.length;
            int code = type.code();
            return OrtApi.create(result -> (long)
                    OrtApi.CREATE_TENSOR_WITH_DATA.invokeExact(memory, address, bytes, dims, rank, code, result));
        }
    }

    /**
     * Runs the graph once.
     *
     * @throws OnnxException an input is missing or does not fit, or an operator failed: the message names its node
     */
    public void run() {
        if (!open) {
            throw new IllegalStateException("the binding is closed");
        }
        try {
            if (device instanceof Device.Cuda) { // copies may still be under way
                OrtApi.check((long) OrtApi.SYNCHRONIZE_BOUND_INPUTS.invokeExact(binding));
            }
            OrtApi.check((long) OrtApi.RUN_WITH_BINDING.invokeExact(session, 0L, binding));
            if (device instanceof Device.Cuda) {
                OrtApi.check((long) OrtApi.SYNCHRONIZE_BOUND_OUTPUTS.invokeExact(binding));
            }
        } catch (Throwable e) {
            throw OrtApi.rethrow(e);
        }
    }

    /** Frees the tensors; not the memory under them. */
    @Override
    public void close() {
        if (open) {
            open = false;
            OrtApi.release(OrtApi.RELEASE_IO_BINDING, binding);
            bound.values().forEach(b -> OrtApi.release(OrtApi.RELEASE_VALUE, b.value));
            if (deviceMemory != hostMemory) {
                OrtApi.release(OrtApi.RELEASE_MEMORY_INFO, deviceMemory);
            }
            OrtApi.release(OrtApi.RELEASE_MEMORY_INFO, hostMemory);
            arena.close();
        }
    }
}
