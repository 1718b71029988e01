package dev.penstock.onnx;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.penstock.onnx.parallel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * An operator of ours as ONNX Runtime sees it: {@code struct OrtCustomOp} of onnxruntime_c_api.h, whose functions are Java
 * methods. One struct for each session and type of operator; the functions are the same for all, and find the Java
 * objects by the pointer or number that ONNX Runtime hands back.
 *
 * <p>An exception that leaves an upcall ends the JVM, so each function that can fail catches all and returns a status.
 */
final class CustomOperator implements AutoCloseable {
    /** The struct's version: it ends before the members that later versions added. */
    private static final int STRUCT_VERSION = 17;

    private static final int REQUIRED = 0;
    private static final int OPTIONAL = 1;

    private static final Map<Long, CustomOperator> OPERATORS = new ConcurrentHashMap<>();
    private static final Map<Long, Node> NODES = new ConcurrentHashMap<>();
    private static final AtomicLong NEXT_NODE = new AtomicLong(1);

    /** The struct's function pointers, in its order; null where ONNX Runtime needs none. */
    private static final MemorySegment[] FUNCTIONS = {
        MemorySegment.NULL, // CreateKernel: CreateKernelV2 is there
        upcall("name", long.class, long.class),
        upcall("provider", long.class, long.class),
        upcall("inputType", int.class, long.class, long.class),
        upcall("inputCount", long.class, long.class),
        upcall("outputType", int.class, long.class, long.class),
        upcall("outputCount", long.class, long.class),
        MemorySegment.NULL, // KernelCompute: KernelComputeV2 is there
        upcall("destroy", void.class, long.class),
        upcall("inputCharacteristic", int.class, long.class, long.class),
        upcall("none", int.class, long.class, long.class), // GetOutputCharacteristic
        upcall("none", int.class, long.class, long.class), // GetInputMemoryType: the default
        upcall("one", int.class, long.class), // GetVariadicInputMinArity
        upcall("one", int.class, long.class), // GetVariadicInputHomogeneity
        upcall("one", int.class, long.class), // GetVariadicOutputMinArity
        upcall("one", int.class, long.class), // GetVariadicOutputHomogeneity
        upcall("create", long.class, long.class, long.class, long.class, long.class),
        upcall("compute", long.class, long.class, long.class),
        MemorySegment.NULL, // InferOutputShapeFn
        upcall("one", int.class, long.class), // GetStartVersion
        upcall("lastVersion", int.class, long.class),
    };
    /** {@code void (*)(void* user_data, size_t index)} for KernelContext_ParallelFor. */
    static final long TASK = upcall("task", void.class, long.class, long.class).address();

    /** One node of a session. */
    private record Node(OperatorType.Kernel kernel, OperatorContext context) {}

    private final Arena arena = Arena.ofShared();
    private final MemorySegment struct;
    private final MemorySegment name;
    private final OperatorType type;
    private final OperatorType.Input[] inputs;
    private final int threads;
    private final @Nullable Workers workers;

    /** An operator for a session of so many threads; they are {@code workers}, or ONNX Runtime's own. */
    CustomOperator(OperatorType type, int threads, @Nullable Workers workers) {
        this.type = type;
        this.workers = workers;
        this.inputs = type.inputs();
        this.threads = threads;
        name = arena.allocateFrom(type.name());
        struct = arena.allocate(JAVA_LONG, 1 + FUNCTIONS.length);
        struct.set(JAVA_INT, 0, STRUCT_VERSION);
        for (int i = 0; i < FUNCTIONS.length; i++) {
            struct.setAtIndex(ValueLayout.ADDRESS, 1 + i, FUNCTIONS[i]);
        }
        OPERATORS.put(address(), this);
    }

    /** Address of the struct. */
    long address() {
        return struct.address();
    }

    /** Frees the struct; only after the session is gone. */
    @Override
    public void close() {
        OPERATORS.remove(address());
        arena.close();
    }

    private static MemorySegment upcall(String method, Class<?> result, Class<?>... arguments) {
        try {
            var handle = MethodHandles.lookup()
                    .findStatic(CustomOperator.class, method, MethodType.methodType(result, arguments));
            MemoryLayout[] layouts = new MemoryLayout[arguments.length];
            for (int i = 0; i < layouts.length; i++) {
                layouts[i] = JAVA_LONG;
            }
            FunctionDescriptor descriptor = result == void.class
                    ? FunctionDescriptor.ofVoid(layouts)
                    : FunctionDescriptor.of(result == int.class ? JAVA_INT : JAVA_LONG, layouts);
            return Linker.nativeLinker().upcallStub(handle, descriptor, Arena.global());
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    // What follows is called by ONNX Runtime.

    /** ONNX Runtime asks about an operator only while its session is being made, so it is there. */
    private static CustomOperator of(long operator) {
        return Objects.requireNonNull(OPERATORS.get(operator));
    }

    private static long name(long operator) {
        return of(operator).name.address();
    }

    private static long provider(long operator) {
        return 0; // the CPU
    }

    private static int inputType(long operator, long index) {
        return of(operator).inputs[(int) index].elementType();
    }

    private static long inputCount(long operator) {
        return of(operator).inputs.length;
    }

    private static int outputType(long operator, long index) {
        return ElementType.FLOAT.code();
    }

    private static long outputCount(long operator) {
        return 1;
    }

    private static int inputCharacteristic(long operator, long index) {
        return of(operator).inputs[(int) index].optional() ? OPTIONAL : REQUIRED;
    }

    private static int none(long operator, long index) {
        return 0;
    }

    private static int one(long operator) {
        return 1;
    }

    private static int lastVersion(long operator) {
        return Integer.MAX_VALUE;
    }

    private static long create(long operator, long api, long info, long result) {
        try {
            CustomOperator owner = OPERATORS.get(operator);
            if (owner == null) {
                return OrtApi.failure("the session of this operator is closed");
            }
            OperatorType.Kernel kernel = owner.type.kernel(new OperatorAttributes(info));
            long number = NEXT_NODE.getAndIncrement();
            NODES.put(number, new Node(kernel, new OperatorContext(owner.threads, owner.workers, number)));
            MemorySegment.ofAddress(result).reinterpret(JAVA_LONG.byteSize()).set(JAVA_LONG, 0, number);
            return OrtApi.OK;
        } catch (Throwable e) {
            return failure(e);
        }
    }

    private static void destroy(long number) {
        NODES.remove(number);
    }

    private static long compute(long number, long context) {
        try {
            Node node = NODES.get(number);
            if (node == null) {
                return OrtApi.failure("no node " + number);
            }
            node.context.enter(context);
            node.kernel.compute(node.context);
            return OrtApi.OK;
        } catch (Throwable e) {
            return failure(e);
        }
    }

    private static void task(long number, long index) {
        try {
            Thread thread = Thread.currentThread();
            if (thread.getName().startsWith("Thread-")) { // one of ONNX Runtime's, on its first upcall
                thread.setName("onnx-worker-" + index);
            }
            Node node = NODES.get(number);
            if (node != null) {
                node.context.task((int) index); // kernels store their tasks' failures for compute
            }
        } catch (Throwable e) { // no memory for a boxed number: the other workers do this one's share
            return;
        }
    }

    private static long failure(Throwable e) {
        try {
            String message = e.getMessage();
            return OrtApi.failure(
                    e instanceof IllegalArgumentException && message != null ? message : String.valueOf(e));
        } catch (Throwable again) { // out of memory, most likely
            return OrtApi.failure("");
        }
    }
}
