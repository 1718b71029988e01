import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Measures llama.cpp on a GGUF file: the prebuilt shared library of the npm package {@code node-llama-cpp} (v0.5.0),
 * called through {@code java.lang.foreign} at the level of {@code llama_decode}, so that nothing of a binding stands
 * between the clock and the library. Settings are llama.cpp's defaults, except threads, context and sequences.
 *
 * <p>Prints a JSON object a line: {@code {"what": "prefill", ...}}, {@code {"what": "decode", ...}}, {@code {"what":
 * "memory", ...}}. Memory is this process's peak less what the JVM held before the library was loaded.
 *
 * <p>Usage: {@code java --enable-native-access=ALL-UNNAMED LlamaCpp.java LIBRARIES GGUF VOCAB [key=value...]} with the
 * keys threads, prompt, batch, context, rounds, steps.
 */
final class LlamaCpp {
    private static final Linker LINKER = Linker.nativeLinker();
    /** Longer than the structs of any version; the System V ABI passes such structs in memory, so that length is free. */
    private static final MemoryLayout PARAMS = MemoryLayout.structLayout(
            MemoryLayout.sequenceLayout(64, JAVA_LONG).withName("fields"));
    /** llama_batch: n_tokens, token, embd, pos, n_seq_id, seq_id, logits. */
    private static final MemoryLayout BATCH = MemoryLayout.structLayout(
            JAVA_INT, MemoryLayout.paddingLayout(4), ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);

    // Offsets into llama_context_params of v0.5.0, verified against its defaults before use.
    private static final long N_CTX = 0;
    private static final long N_BATCH = 4;
    private static final long N_UBATCH = 8;
    private static final long N_SEQ_MAX = 12;
    private static final long N_THREADS = 28;
    private static final long N_THREADS_BATCH = 32;

    private final Arena arena = Arena.global();
    private final Map<String, String> options = new HashMap<>();
    private final Random random = new Random(1);
    private final SymbolLookup ggml;
    private final SymbolLookup llama;
    private final MethodHandle decode;
    private final MethodHandle synchronize;
    private final MethodHandle memoryOf;
    private final MethodHandle clear;
    private final MethodHandle copySequence;
    private final MethodHandle logitsOf;
    private final int vocab;
    private final int threads;
    private MemorySegment model = MemorySegment.NULL;

    private LlamaCpp(Path libraries, int vocab) throws IOException {
        this.vocab = vocab;
        for (String name : List.of("libggml-base")) SymbolLookup.libraryLookup(find(libraries, name), arena);
        ggml = SymbolLookup.libraryLookup(find(libraries, "libggml."), arena);
        llama = SymbolLookup.libraryLookup(find(libraries, "libllama."), arena);
        decode = function(llama, "llama_decode", FunctionDescriptor.of(JAVA_INT, ADDRESS, BATCH));
        synchronize = function(llama, "llama_synchronize", FunctionDescriptor.ofVoid(ADDRESS));
        memoryOf = function(llama, "llama_get_memory", FunctionDescriptor.of(ADDRESS, ADDRESS));
        clear = function(llama, "llama_memory_clear", FunctionDescriptor.ofVoid(ADDRESS, JAVA_BYTE));
        copySequence = function(
                llama,
                "llama_memory_seq_cp",
                FunctionDescriptor.ofVoid(ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
        logitsOf = function(llama, "llama_get_logits", FunctionDescriptor.of(ADDRESS, ADDRESS));
        threads = Runtime.getRuntime().availableProcessors();
    }

    public static void main(String[] args) throws Throwable {
        long ownBytes = statusBytes("VmRSS");
        var bench = new LlamaCpp(Path.of(args[0]), Integer.parseInt(args[2]));
        for (int i = 3; i < args.length; i++) {
            String[] pair = args[i].split("=", 2);
            bench.options.put(pair[0], pair[1]);
        }
        bench.load(Path.of(args[0]), Path.of(args[1]));
        bench.measure();
        emit("memory", "peak_bytes", statusBytes("VmHWM") - ownBytes, "anonymous_bytes", statusBytes("RssAnon"),
                "cpu_variant", cpuVariant());
        System.out.flush();
        // The library's threads need no farewell.
        Runtime.getRuntime().halt(0);
    }

    private void load(Path libraries, Path gguf) throws Throwable {
        if (options.getOrDefault("verbose", "0").equals("0")) {
            // llama.cpp writes its log to stderr by default: a callback that does nothing silences it.
            var nothing = java.lang.invoke.MethodHandles.empty(java.lang.invoke.MethodType.methodType(
                    void.class, int.class, MemorySegment.class, MemorySegment.class));
            MemorySegment stub =
                    LINKER.upcallStub(nothing, FunctionDescriptor.ofVoid(JAVA_INT, ADDRESS, ADDRESS), arena);
            function(llama, "llama_log_set", FunctionDescriptor.ofVoid(ADDRESS, ADDRESS))
                    .invoke(stub, MemorySegment.NULL);
        }
        function(ggml, "ggml_backend_load_all_from_path", FunctionDescriptor.ofVoid(ADDRESS))
                .invoke(arena.allocateFrom(libraries.toString()));
        function(llama, "llama_backend_init", FunctionDescriptor.ofVoid()).invoke();
        var params = (MemorySegment) function(llama, "llama_model_default_params", FunctionDescriptor.of(PARAMS))
                .invoke((java.lang.foreign.SegmentAllocator) arena);
        model = (MemorySegment) function(
                        llama, "llama_model_load_from_file", FunctionDescriptor.of(ADDRESS, ADDRESS, PARAMS))
                .invoke(arena.allocateFrom(gguf.toString()), params);
        if (model.equals(MemorySegment.NULL)) throw new IOException("llama.cpp cannot load " + gguf);
    }

    private void measure() throws Throwable {
        int rounds = number("rounds", 3);
        int steps = number("steps", 16);
        for (int tokens : numbers("prompt", "128,512")) {
            if (tokens == 0) continue;
            MemorySegment context = open(tokens, 1);
            double[] seconds = new double[rounds];
            for (int round = -1; round < rounds; round++) {
                clear.invoke((MemorySegment) memoryOf.invoke(context), (byte) 1);
                long start = System.nanoTime();
                prefill(context, tokens);
                if (round >= 0) seconds[round] = (System.nanoTime() - start) / 1e9;
            }
            emit("prefill", "prompt", tokens, "ms", median(seconds) * 1e3, "tokens_per_second",
                    tokens / median(seconds));
            close(context);
        }
        for (int length : numbers("context", "256,1500")) {
            for (int batch : numbers("batch", "1,4,8,16")) {
                if (length == 0 || batch == 0) continue;
                MemorySegment context = open(length + steps + 3, batch);
                var memory = (MemorySegment) memoryOf.invoke(context);
                prefill(context, length);
                for (int sequence = 1; sequence < batch; sequence++) {
                    copySequence.invoke(memory, 0, sequence, -1, -1);
                }
                double[] seconds = new double[steps];
                for (int step = -3; step < steps; step++) {
                    long start = System.nanoTime();
                    try (Arena local = Arena.ofConfined()) {
                        var tokens = new ArrayList<int[]>();
                        for (int s = 0; s < batch; s++) {
                            tokens.add(new int[] {random.nextInt(vocab), length + 3 + step, s, 1});
                        }
                        decode(local, context, tokens);
                    }
                    if (step >= 0) seconds[step] = (System.nanoTime() - start) / 1e9;
                }
                emit("decode", "batch", batch, "context", length, "ms", median(seconds) * 1e3, "tokens_per_second",
                        batch / median(seconds));
                close(context);
            }
        }
    }

    /** A context of {@code sequences} sequences of {@code length} tokens each. */
    private MemorySegment open(int length, int sequences) throws Throwable {
        var params = (MemorySegment) function(llama, "llama_context_default_params", FunctionDescriptor.of(PARAMS))
                .invoke((java.lang.foreign.SegmentAllocator) arena);
        if (params.get(JAVA_INT, N_CTX) != 512
                || params.get(JAVA_INT, N_BATCH) != 2048
                || params.get(JAVA_INT, N_UBATCH) != 512
                || params.get(JAVA_INT, N_SEQ_MAX) != 1
                || params.get(JAVA_INT, N_THREADS) != 4
                || params.get(JAVA_INT, N_THREADS_BATCH) != 4) {
            throw new IOException("llama_context_params of this llama.cpp differ from those of v0.5.0");
        }
        // Each sequence's share is rounded up by llama.cpp to a multiple of 256.
        params.set(JAVA_INT, N_CTX, (length + 255) / 256 * 256 * sequences);
        params.set(JAVA_INT, N_SEQ_MAX, sequences);
        int n = number("threads", threads);
        params.set(JAVA_INT, N_THREADS, n);
        params.set(JAVA_INT, N_THREADS_BATCH, n);
        var context = (MemorySegment) function(
                        llama, "llama_init_from_model", FunctionDescriptor.of(ADDRESS, ADDRESS, PARAMS))
                .invoke(model, params);
        if (context.equals(MemorySegment.NULL)) throw new IOException("llama.cpp cannot open a context");
        return context;
    }

    private void close(MemorySegment context) throws Throwable {
        function(llama, "llama_free", FunctionDescriptor.ofVoid(ADDRESS)).invoke(context);
    }

    private void prefill(MemorySegment context, int length) throws Throwable {
        try (Arena local = Arena.ofConfined()) {
            var tokens = new ArrayList<int[]>();
            for (int i = 0; i < length; i++) {
                tokens.add(new int[] {random.nextInt(vocab), i, 0, i == length - 1 ? 1 : 0});
            }
            decode(local, context, tokens);
        }
    }

    /** One llama_decode; each token is {id, position, sequence, wants logits}. */
    private void decode(Arena local, MemorySegment context, List<int[]> tokens) throws Throwable {
        int n = tokens.size();
        MemorySegment ids = local.allocate(JAVA_INT, n);
        MemorySegment positions = local.allocate(JAVA_INT, n);
        MemorySegment counts = local.allocate(JAVA_INT, n);
        MemorySegment sequenceIds = local.allocate(JAVA_INT, n);
        MemorySegment sequences = local.allocate(ADDRESS, n);
        MemorySegment logits = local.allocate(n);
        for (int i = 0; i < n; i++) {
            int[] token = tokens.get(i);
            ids.setAtIndex(JAVA_INT, i, token[0]);
            positions.setAtIndex(JAVA_INT, i, token[1]);
            counts.setAtIndex(JAVA_INT, i, 1);
            sequenceIds.setAtIndex(JAVA_INT, i, token[2]);
            sequences.setAtIndex(ADDRESS, i, sequenceIds.asSlice(4L * i, 4));
            logits.set(JAVA_BYTE, i, (byte) token[3]);
        }
        MemorySegment batch = local.allocate(BATCH);
        batch.set(JAVA_INT, 0, n);
        batch.set(ADDRESS, 8, ids);
        batch.set(ADDRESS, 24, positions);
        batch.set(ADDRESS, 32, counts);
        batch.set(ADDRESS, 40, sequences);
        batch.set(ADDRESS, 48, logits);
        int result = (int) decode.invoke(context, batch);
        if (result != 0) throw new IOException("llama_decode failed with " + result);
        synchronize.invoke(context);
        MemorySegment first = ((MemorySegment) logitsOf.invoke(context)).reinterpret(4);
        if (!Float.isFinite(first.get(java.lang.foreign.ValueLayout.JAVA_FLOAT, 0))) {
            throw new IOException("llama.cpp computed logits that are not finite");
        }
    }

    private static MethodHandle function(SymbolLookup library, String name, FunctionDescriptor type) {
        return LINKER.downcallHandle(library.findOrThrow(name), type);
    }

    private static Path find(Path folder, String prefix) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> f.getFileName().toString().startsWith(prefix))
                    .findFirst()
                    .orElseThrow(() -> new IOException("no " + prefix + "* in " + folder));
        }
    }

    private int number(String key, int otherwise) {
        return Integer.parseInt(options.getOrDefault(key, Integer.toString(otherwise)));
    }

    private int[] numbers(String key, String otherwise) {
        return Arrays.stream(options.getOrDefault(key, otherwise).split(","))
                .mapToInt(Integer::parseInt)
                .toArray();
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return (sorted[sorted.length / 2] + sorted[(sorted.length - 1) / 2]) / 2;
    }

    /** A figure of /proc/self/status in bytes. */
    private static long statusBytes(String key) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith(key + ":")) return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
        }
        throw new IOException("no " + key + " in /proc/self/status");
    }

    /** The build of the CPU kernels that llama.cpp chose for this machine. */
    private static String cpuVariant() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
            int at = line.indexOf("libggml-cpu-");
            if (at >= 0) return line.substring(at + "libggml-cpu-".length(), line.length() - ".so".length());
        }
        return "unknown";
    }

    private static void emit(String what, Object... fields) {
        var json = new StringBuilder("{\"what\": \"" + what + "\"");
        for (int i = 0; i < fields.length; i += 2) {
            String value = switch (fields[i + 1]) {
                case Double d -> String.format(Locale.ROOT, "%.3f", d);
                case Number n -> n.toString();
                case Object o -> "\"" + o + "\"";
            };
            json.append(", \"").append(fields[i]).append("\": ").append(value);
        }
        System.out.println(json.append("}"));
    }
}
