package dev.penstock.onnx;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.penstock.onnx.attention.AttentionScratch;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Our attention op as ONNX Runtime sees it: {@code struct OrtCustomOp} of onnxruntime_c_api.h, whose functions are Java
 * methods. One struct for each session, which owns the working memory of the session's attention nodes; the functions
 * are the same for all, and find the Java objects by the pointer or number that ONNX Runtime hands back.
 *
 * <p>An exception that leaves an upcall ends the JVM, so each function that can fail catches all and returns a status.
 */
final class PagedAttentionOp implements AutoCloseable {
    /** The struct's version: it ends before the members that later versions added. */
    private static final int STRUCT_VERSION = 17;

    private static final int REQUIRED = 0;
    private static final int OPTIONAL = 1;
    private static final int INPUTS = 10;
    /** ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED: any type. */
    private static final int ANY_TYPE = 0;

    private static final Map<Long, PagedAttentionOp> OPS = new ConcurrentHashMap<>();
    private static final Map<Long, AttentionNode> NODES = new ConcurrentHashMap<>();
    private static final AtomicLong NEXT_NODE = new AtomicLong(1);
    private static final MemorySegment NAME = Arena.global().allocateFrom(GraphContract.ATTENTION);

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

    private final Arena arena = Arena.ofShared();
    private final MemorySegment struct;
    private final int threads;
    private final AttentionScratch scratch = new AttentionScratch();

    /** The op for a session of so many threads. */
    PagedAttentionOp(int threads) {
        this.threads = threads;
        struct = arena.allocate(JAVA_LONG, 1 + FUNCTIONS.length);
        struct.set(JAVA_INT, 0, STRUCT_VERSION);
        for (int i = 0; i < FUNCTIONS.length; i++) {
            struct.setAtIndex(ValueLayout.ADDRESS, 1 + i, FUNCTIONS[i]);
        }
        OPS.put(address(), this);
    }

    /** Address of the struct. */
    long address() {
        return struct.address();
    }

    /** Threads of the session. */
    int threads() {
        return threads;
    }

    /** Working memory of the session's attention nodes, which run one after the other. */
    AttentionScratch scratch() {
        return scratch;
    }

    /** Frees the struct and the working memory; only after the session is gone. */
    @Override
    public void close() {
        OPS.remove(address());
        scratch.close();
        arena.close();
    }

    private static MemorySegment upcall(String method, Class<?> result, Class<?>... arguments) {
        try {
            var handle = MethodHandles.lookup()
                    .findStatic(PagedAttentionOp.class, method, MethodType.methodType(result, arguments));
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

    private static long name(long op) {
        return NAME.address();
    }

    private static long provider(long op) {
        return 0; // the CPU
    }

    private static int inputType(long op, long index) {
        return switch ((int) index) {
            case 3, 4 -> ANY_TYPE;
            case 5, 6, 7 -> ElementType.INT32.code();
            default -> ElementType.FLOAT.code();
        };
    }

    private static long inputCount(long op) {
        return INPUTS;
    }

    private static int outputType(long op, long index) {
        return ElementType.FLOAT.code();
    }

    private static long outputCount(long op) {
        return 1;
    }

    private static int inputCharacteristic(long op, long index) {
        return switch ((int) index) {
            case 1, 2, 8, 9 -> OPTIONAL;
            default -> REQUIRED;
        };
    }

    private static int none(long op, long index) {
        return 0;
    }

    private static int one(long op) {
        return 1;
    }

    private static int lastVersion(long op) {
        return Integer.MAX_VALUE;
    }

    private static long create(long op, long api, long info, long result) {
        try {
            PagedAttentionOp owner = OPS.get(op);
            if (owner == null) {
                return OrtApi.failure("the session of this attention op is closed");
            }
            AttentionNode node = new AttentionNode(owner, info);
            long number = NEXT_NODE.getAndIncrement();
            NODES.put(number, node);
            MemorySegment.ofAddress(result).reinterpret(JAVA_LONG.byteSize()).set(JAVA_LONG, 0, number);
            return OrtApi.OK;
        } catch (Throwable e) {
            return failure(e);
        }
    }

    private static void destroy(long node) {
        NODES.remove(node);
    }

    private static long compute(long number, long context) {
        try {
            AttentionNode node = NODES.get(number);
            if (node == null) {
                return OrtApi.failure("no attention node " + number);
            }
            node.compute(number, context);
            return OrtApi.OK;
        } catch (Throwable e) {
            return failure(e);
        }
    }

    private static void task(long number, long index) {
        try {
            AttentionNode node = NODES.get(number);
            if (node != null) {
                node.task((int) index); // stores its own failures for compute
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
