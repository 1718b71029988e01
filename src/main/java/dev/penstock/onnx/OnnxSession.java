package dev.penstock.onnx;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.penstock.model.Device;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.LongSupplier;

/**
 * A graph loaded for a device, with our operators at hand if that is the CPU. It owns its memory in ONNX Runtime, and
 * {@link #close} frees it; runs go through one {@link OnnxBinding} at a time, on one thread.
 */
public final class OnnxSession implements AutoCloseable {
    /** ORT_LOGGING_LEVEL_FATAL: what goes wrong comes back as a status, with the same words. */
    private static final int LOG_FATAL = 4;

    private static final int OPTIMIZE_NOTHING = 0;
    private static final int OPTIMIZE_ALL = 99;

    /** Address space, of which only what is used takes up memory. */
    private static final long LOADER_STACK_BYTES = 256L << 20;

    private final long session;
    private final Device device;
    private final OperatorDomain operators;
    private final List<TensorSpec> inputs;
    private final List<TensorSpec> outputs;
    private boolean open = true;

    private OnnxSession(long session, Device device, OperatorDomain operators) {
        this.session = session;
        this.device = device;
        this.operators = operators;
        inputs = specs(
                OrtApi.SESSION_GET_INPUT_COUNT, OrtApi.SESSION_GET_INPUT_NAME, OrtApi.SESSION_GET_INPUT_TYPE_INFO);
        outputs = specs(
                OrtApi.SESSION_GET_OUTPUT_COUNT, OrtApi.SESSION_GET_OUTPUT_NAME, OrtApi.SESSION_GET_OUTPUT_TYPE_INFO);
    }

    /**
     * Loads ONNX Runtime and makes its environment, as the first session would, for whoever has time before.
     *
     * @throws OnnxException there is no library for this machine, or it can't be unpacked
     */
    public static void loadLibrary() {
        if (Environment.ADDRESS == 0) {
            throw new OnnxException("ONNX Runtime made no environment");
        }
    }

    /**
     * Makes sure that a device can be asked for, so that what is missing is told before a model is built. Whether there
     * is such a GPU shows when a session is opened.
     *
     * @throws OnnxException there is no library, or it has no CUDA, or CUDA's own libraries are not there
     */
    public static void require(Device device) {
        // Told here, since what fails while a class is loaded is told as something else.
        NativeLibrary.find();
        if (device instanceof Device.Cuda cuda) {
            CudaProvider.require(cuda);
        }
    }

    /**
     * Loads a graph.
     *
     * @throws OnnxException it cannot be read, is no valid graph, or does not fit into memory; or the device is not there
     */
    public static OnnxSession open(Path graph, SessionConfig config) {
        if (!Files.isReadable(graph)) {
            throw new OnnxException("cannot read the graph " + graph);
        }
        GraphFile file = GraphFile.read(graph);
        boolean packed = !file.packed().isEmpty();
        OperatorDomain operators = new OperatorDomain(config.threads(), packed, PackedWeightMemory.load(file));
        long options = 0;
        try (Arena arena = Arena.ofConfined()) {
            options = OrtApi.create(result -> (long) OrtApi.CREATE_SESSION_OPTIONS.invokeExact(result));
            configure(options, config, packed, arena);
            OrtApi.check((long) OrtApi.ADD_CUSTOM_OP_DOMAIN.invokeExact(options, operators.address()));
            long session = file.dataFolder().isPresent()
                    ? create(mapped(graph, arena), file.dataFolder().get(), options, arena)
                    : create(graph, options, arena);
            try {
                return new OnnxSession(session, config.device(), operators);
            } catch (RuntimeException e) { // an input or output of a type that is not supported
                OrtApi.release(OrtApi.RELEASE_SESSION, session);
                throw e;
            }
        } catch (Throwable e) {
            operators.close();
            throw OrtApi.rethrow(e);
        } finally {
            if (options != 0) {
                OrtApi.release(OrtApi.RELEASE_SESSION_OPTIONS, options);
            }
        }
    }

    private static long create(Path graph, long options, Arena arena) throws Throwable {
        long path = arena.allocateFrom(graph.toAbsolutePath().toString()).address();
        return onDeepStack(() -> {
            long environment = Environment.ADDRESS;
            return OrtApi.create(
                    result -> (long) OrtApi.CREATE_SESSION.invokeExact(environment, path, options, result));
        });
    }

    /** External data of a graph file must lie below its folder; those of a graph in memory may lie below any. */
    private static long create(MemorySegment graph, Path dataFolder, long options, Arena arena) throws Throwable {
        entry(options, arena, "session.model_external_initializers_file_folder_path", dataFolder.toString());
        return onDeepStack(() -> {
            long environment = Environment.ADDRESS;
            return OrtApi.create(result -> (long) OrtApi.CREATE_SESSION_FROM_ARRAY.invokeExact(
                    environment, graph.address(), graph.byteSize(), options, result));
        });
    }

    private static MemorySegment mapped(Path graph, Arena arena) throws IOException {
        try (FileChannel channel = FileChannel.open(graph)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        }
    }

    /**
     * Runs what may need more than the 1 MiB of stack that a Java thread has by default: where the environment allows it to
     * report (see {@link Telemetry}), ONNX Runtime matches the command line of the process against regular expressions by
     * recursion, a class path of some kilobytes included, and an overflow ends the process without a word.
     */
    static long onDeepStack(LongSupplier work) throws Throwable {
        CompletableFuture<Long> result = new CompletableFuture<>();
        Runnable task = () -> {
            try {
                result.complete(work.getAsLong());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        };
        Thread.ofPlatform()
                .name("onnx-session-loader")
                .stackSize(LOADER_STACK_BYTES)
                .start(task);
        try {
            return result.join();
        } catch (CompletionException e) {
            throw e.getCause() == null ? e : e.getCause();
        }
    }

    private static void configure(long options, SessionConfig config, boolean packed, Arena arena) throws Throwable {
        OrtApi.check((long) OrtApi.SET_SESSION_LOG_SEVERITY_LEVEL.invokeExact(options, LOG_FATAL));
        // Where the matrices are ours the threads are too: what is left for ONNX Runtime is not worth sharing out, and
        // two
        // sets of threads that spin would take the cores from each other.
        int threads = packed ? 1 : config.threads();
        OrtApi.check((long) OrtApi.SET_INTRA_OP_NUM_THREADS.invokeExact(options, threads));
        OrtApi.check((long) OrtApi.SET_INTER_OP_NUM_THREADS.invokeExact(options, 1));
        int level = config.optimize() ? OPTIMIZE_ALL : OPTIMIZE_NOTHING;
        OrtApi.check((long) OrtApi.SET_GRAPH_OPTIMIZATION_LEVEL.invokeExact(options, level));
        if (!config.arena()) {
            OrtApi.check((long) OrtApi.DISABLE_CPU_MEM_ARENA.invokeExact(options));
            OrtApi.check((long) OrtApi.DISABLE_MEM_PATTERN.invokeExact(options));
        }
        if (config.device() instanceof Device.Cuda cuda) {
            CudaProvider.append(options, cuda);
            // A node without a kernel there fails the load: on the CPU it would cost copies at each step, in silence.
            entry(options, arena, "session.disable_cpu_ep_fallback", "1");
        }
        entry(options, arena, "session.intra_op.allow_spinning", config.spinning() ? "1" : "0");
        for (var e : config.entries().entrySet()) {
            entry(options, arena, e.getKey(), e.getValue());
        }
        if (config.profile().isPresent()) {
            long prefix = arena.allocateFrom(config.profile().get().toString()).address();
            OrtApi.check((long) OrtApi.ENABLE_PROFILING.invokeExact(options, prefix));
        }
        if (config.optimizedModel().isPresent()) {
            long path =
                    arena.allocateFrom(config.optimizedModel().get().toString()).address();
            OrtApi.check((long) OrtApi.SET_OPTIMIZED_MODEL_FILE_PATH.invokeExact(options, path));
        }
    }

    private static void entry(long options, Arena arena, String key, String value) throws Throwable {
        long keyAddress = arena.allocateFrom(key).address();
        long valueAddress = arena.allocateFrom(value).address();
        OrtApi.check((long) OrtApi.ADD_SESSION_CONFIG_ENTRY.invokeExact(options, keyAddress, valueAddress));
    }

    private List<TensorSpec> specs(MethodHandle count, MethodHandle name, MethodHandle type) {
        long n = OrtApi.create(result -> (long) count.invokeExact(session, result));
        List<TensorSpec> specs = new ArrayList<>();
        for (long i = 0; i < n; i++) {
            specs.add(spec(i, name, type));
        }
        return List.copyOf(specs);
    }

    private TensorSpec spec(long index, MethodHandle getName, MethodHandle getType) {
        long allocator = OrtApi.create(result -> (long) OrtApi.GET_ALLOCATOR_WITH_DEFAULT_OPTIONS.invokeExact(result));
        long nameAddress = OrtApi.create(result -> (long) getName.invokeExact(session, index, allocator, result));
        long typeInfo = 0;
        try (Arena arena = Arena.ofConfined()) {
            String name = OrtApi.string(nameAddress);
            long info = OrtApi.create(result -> (long) getType.invokeExact(session, index, result));
            typeInfo = info;
            long tensor =
                    OrtApi.create(result -> (long) OrtApi.CAST_TYPE_INFO_TO_TENSOR_INFO.invokeExact(info, result));
            if (tensor == 0) {
                throw new OnnxException(name + " is no tensor");
            }
            MemorySegment code = arena.allocate(JAVA_INT);
            OrtApi.check((long) OrtApi.GET_TENSOR_ELEMENT_TYPE.invokeExact(tensor, code.address()));
            long rank = OrtApi.create(result -> (long) OrtApi.GET_DIMENSIONS_COUNT.invokeExact(tensor, result));
            MemorySegment dims = arena.allocate(JAVA_LONG, Math.max(1, rank));
            OrtApi.check((long) OrtApi.GET_DIMENSIONS.invokeExact(tensor, dims.address(), rank));
            List<Long> shape = new ArrayList<>();
            for (long d = 0; d < rank; d++) {
                shape.add(dims.getAtIndex(JAVA_LONG, d));
            }
            return new TensorSpec(name, ElementType.ofCode(code.get(JAVA_INT, 0)), shape);
        } catch (Throwable e) {
            throw OrtApi.rethrow(e);
        } finally {
            if (typeInfo != 0) {
                OrtApi.release(OrtApi.RELEASE_TYPE_INFO, typeInfo);
            }
            free(allocator, nameAddress);
        }
    }

    private static void free(long allocator, long address) {
        try {
            OrtApi.check((long) OrtApi.ALLOCATOR_FREE.invokeExact(allocator, address));
        } catch (Throwable e) {
            throw OrtApi.rethrow(e);
        }
    }

    /** The graph's inputs, in its order. */
    public List<TensorSpec> inputs() {
        return inputs;
    }

    /** The graph's outputs, in its order. */
    public List<TensorSpec> outputs() {
        return outputs;
    }

    /** A set of bindings for runs of this session; to be closed before it. */
    public OnnxBinding bind() {
        return new OnnxBinding(address(), device, inputs, outputs);
    }

    /**
     * Memory of the session's device, for {@link OnnxBinding#deviceInput}; to be closed before the session. Zeroed on the
     * CPU only.
     *
     * @throws OnnxException there is not so much
     */
    public DeviceMemory allocate(long bytes) {
        return switch (device) {
            case Device.Cpu() -> LazyMemory.allocate(bytes);
            case Device.Cuda cuda -> CudaMemory.allocate(address(), cuda, bytes);
        };
    }

    private long address() {
        if (!open) {
            throw new IllegalStateException("the session is closed");
        }
        return session;
    }

    /** Ends the session's threads and frees its memory. */
    @Override
    public void close() {
        if (open) {
            open = false;
            OrtApi.release(OrtApi.RELEASE_SESSION, session);
            operators.close();
        }
    }

    /** The process's one environment: it lives as long as the process, as ONNX Runtime's own logger does. */
    private static final class Environment {
        static final long ADDRESS = create();

        private static long create() {
            try (Arena arena = Arena.ofConfined()) {
                long id = arena.allocateFrom("penstock").address();
                return OrtApi.create(result -> (long) OrtApi.CREATE_ENV.invokeExact(LOG_FATAL, id, result));
            }
        }
    }
}
