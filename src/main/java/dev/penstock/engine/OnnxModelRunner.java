package dev.penstock.engine;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.penstock.model.DecoderShape;
import dev.penstock.model.Device;
import dev.penstock.model.KvType;
import dev.penstock.onnx.DeviceMemory;
import dev.penstock.onnx.ElementType;
import dev.penstock.onnx.GraphContract;
import dev.penstock.onnx.LazyMemory;
import dev.penstock.onnx.OnnxBinding;
import dev.penstock.onnx.OnnxException;
import dev.penstock.onnx.OnnxSession;
import dev.penstock.onnx.SessionConfig;
import dev.penstock.onnx.TensorSpec;
import dev.penstock.onnx.attention.AttentionWarmUp;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * Runs a graph that follows {@link GraphContract}. It owns session, KV cache in the device's memory, and the rows that come out in the host's;
 * inputs are bound over memory of its own.
 */
public final class OnnxModelRunner implements ModelRunner {
    private static final int ALIGNMENT = 4096;

    private final DecoderShape shape;
    private final RunnerConfig config;
    private final OnnxSession session;
    private final OnnxBinding binding;
    private final DeviceMemory cache;
    private final LazyMemory memory;
    private final boolean wantsBounds;
    private final String output;
    private final int rowWidth;

    private final MemorySegment inputIds;
    private final MemorySegment logitRows;
    private final MemorySegment sequenceStarts;
    private final MemorySegment pastLengths;
    private final MemorySegment blockTable;
    private final MemorySegment attentionBounds;
    private final MemorySegment rows;
    private final int maxBlocksPerSequence;

    /** Hands out page-aligned pieces of one mapping. */
    private static final class Slices {
        private final MemorySegment memory;
        private long used;

        Slices(MemorySegment memory) {
            this.memory = memory;
        }

        MemorySegment next(long bytes) {
            MemorySegment slice = memory.asSlice(used, bytes);
            used += aligned(bytes);
            return slice;
        }
    }

    private OnnxModelRunner(
            OnnxSession session,
            OnnxBinding binding,
            DeviceMemory cache,
            LazyMemory memory,
            DecoderShape shape,
            RunnerConfig config) {
        this.session = session;
        this.binding = binding;
        this.cache = cache;
        this.memory = memory;
        this.shape = shape;
        this.config = config;
        maxBlocksPerSequence = blocksPerSequence(shape, config);
        wantsBounds = session.inputs().stream().anyMatch(input -> input.name().equals(GraphContract.ATTENTION_BOUNDS));
        output = session.outputs().getFirst().name();
        rowWidth = rowWidth(session, shape);
        bindCaches(new Slices(cache.segment()));
        Slices slices = new Slices(memory.segment());
        long tokens = config.maxTokensPerStep();
        inputIds = slices.next(8 * tokens);
        logitRows = slices.next(8 * tokens);
        sequenceStarts = slices.next(4 * (tokens + 1));
        pastLengths = slices.next(4 * (tokens + 1));
        blockTable = slices.next(4 * tokens * maxBlocksPerSequence);
        attentionBounds = slices.next(4 * 2);
        rows = slices.next(4L * config.maxRowsPerStep() * rowWidth);
    }

    /** Numbers of a row: a graph without a head gives hidden states. */
    private static int rowWidth(OnnxSession session, DecoderShape shape) {
        return session.outputs().getFirst().name().equals(GraphContract.HIDDEN)
                ? shape.hiddenSize()
                : shape.vocabSize();
    }

    private static long cachesBytes(DecoderShape shape, RunnerConfig config) {
        return Math.multiplyExact(2L * shape.layers(), aligned(cacheBytes(shape, config)));
    }

    private static long memoryBytes(DecoderShape shape, RunnerConfig config, int rowWidth) {
        long tokens = config.maxTokensPerStep();
        return 2 * aligned(8 * tokens)
                + 2 * aligned(4 * (tokens + 1))
                + aligned(4 * tokens * blocksPerSequence(shape, config))
                + aligned(4 * 2)
                + aligned(4L * config.maxRowsPerStep() * rowWidth);
    }

    /**
     * Loads a variant and makes it ready to run.
     *
     * @param folder the variant's folder, with the graph file of the wanted cache type
     * @param shape the model's dimensions, {@code contextLength} being the one to serve
     * @throws OnnxException the graph cannot be loaded, or is not one of this contract and shape
     */
    public static OnnxModelRunner open(Path folder, DecoderShape shape, RunnerConfig config) {
        return open(folder, shape, config, SessionConfig.of(config.device(), config.threads()));
    }

    /** As {@link #open(Path, DecoderShape, RunnerConfig)}, with a session of one's own choice: to profile, for one. */
    public static OnnxModelRunner open(
            Path folder, DecoderShape shape, RunnerConfig config, SessionConfig sessionConfig) {
        Path graph = folder.resolve(GraphContract.graphFile(config.kvType()));
        if (config.device().equals(Device.CPU)) {
            AttentionWarmUp.start(); // while the graph is loaded
        }
        OnnxSession session = OnnxSession.open(graph, sessionConfig);
        try {
            checkContract(graph, session, shape, config.kvType());
            return open(session, shape, config);
        } catch (RuntimeException | Error e) {
            session.close();
            throw e;
        }
    }

    private static OnnxModelRunner open(OnnxSession session, DecoderShape shape, RunnerConfig config) {
        LazyMemory memory = LazyMemory.allocate(memoryBytes(shape, config, rowWidth(session, shape)));
        try {
            DeviceMemory cache = session.allocate(cachesBytes(shape, config));
            try {
                OnnxBinding binding = session.bind();
                try {
                    OnnxModelRunner runner = new OnnxModelRunner(session, binding, cache, memory, shape, config);
                    if (config.device().equals(Device.CPU)) {
                        AttentionWarmUp.await();
                    }
                    runner.warmUp();
                    return runner;
                } catch (RuntimeException | Error e) {
                    binding.close();
                    throw e;
                }
            } catch (RuntimeException | Error e) {
                cache.close();
                throw e;
            }
        } catch (RuntimeException | Error e) {
            memory.close();
            throw e;
        }
    }

    /** A step that comes to nothing, so that operators have their memory and the way through them is compiled. */
    private void warmUp() {
        run(new StepBatch(new long[1], 1, new int[] {0, 1}, new int[1], 1, new int[1], 1, new long[1], 1));
    }

    private static void checkContract(Path graph, OnnxSession session, DecoderShape shape, KvType kvType) {
        List<String> inputs = session.inputs().stream().map(TensorSpec::name).toList();
        for (int layer = 0; layer < shape.layers(); layer++) {
            for (String name : List.of(GraphContract.keyCache(layer), GraphContract.valueCache(layer))) {
                int index = inputs.indexOf(name);
                if (index < 0) {
                    throw new OnnxException(graph + " has no input " + name);
                }
                ElementType type = session.inputs().get(index).type();
                if (type != elementType(kvType)) {
                    throw new OnnxException("%s: %s is %s, not %s".formatted(graph, name, type, elementType(kvType)));
                }
            }
        }
        if (inputs.contains(GraphContract.keyCache(shape.layers()))) {
            throw new OnnxException(graph + " has more than " + shape.layers() + " layers");
        }
        TensorSpec output = session.outputs().getFirst();
        if (!Set.of(GraphContract.LOGITS, GraphContract.HIDDEN).contains(output.name())
                || output.type() != ElementType.FLOAT
                || output.shape().size() != 2) {
            throw new OnnxException(graph + " gives " + output + " in place of logits");
        }
    }

    private static ElementType elementType(KvType type) {
        return switch (type) {
            case FP32 -> ElementType.FLOAT;
            case FP16 -> ElementType.FLOAT16;
            case INT8 -> ElementType.INT8;
        };
    }

    private static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    }

    /** Bytes of one layer's keys, and of its values. */
    private static long cacheBytes(DecoderShape shape, RunnerConfig config) {
        long perBlock =
                (long) config.blockSize() * shape.kvHeads() * config.kvType().headBytes(shape.headSize());
        return Math.multiplyExact(perBlock, config.blocks());
    }

    private static int blocksPerSequence(DecoderShape shape, RunnerConfig config) {
        return (shape.contextLength() + config.blockSize() - 1) / config.blockSize();
    }

    private void bindCaches(Slices slices) {
        long[] dims = {
            config.blocks(),
            config.blockSize(),
            shape.kvHeads(),
            config.kvType().headNumbers(shape.headSize())
        };
        ElementType type = elementType(config.kvType());
        long bytes = cacheBytes(shape, config);
        for (int layer = 0; layer < shape.layers(); layer++) {
            binding.deviceInput(GraphContract.keyCache(layer), type, slices.next(bytes), dims);
            binding.deviceInput(GraphContract.valueCache(layer), type, slices.next(bytes), dims);
        }
    }

    @Override
    public DecoderShape shape() {
        return shape;
    }

    @Override
    public int blockSize() {
        return config.blockSize();
    }

    @Override
    public int blockCount() {
        return config.blocks();
    }

    @Override
    public int maxTokensPerStep() {
        return config.maxTokensPerStep();
    }

    @Override
    public int maxRowsPerStep() {
        return config.maxRowsPerStep();
    }

    @Override
    public MemorySegment run(StepBatch batch) {
        check(batch);
        // A step that wants no logits computes one row all the same: operators need not cope with empty tensors.
        int count = Math.max(1, batch.rows());
        copy(batch.tokenIds(), JAVA_LONG, inputIds, batch.tokens());
        copy(batch.logitRows(), JAVA_LONG, logitRows, batch.rows());
        if (batch.rows() == 0) {
            logitRows.set(JAVA_LONG, 0, 0);
        }
        copy(batch.sequenceStarts(), JAVA_INT, sequenceStarts, batch.sequences() + 1);
        copy(batch.pastLengths(), JAVA_INT, pastLengths, batch.sequences());
        copy(batch.blockTable(), JAVA_INT, blockTable, batch.sequences() * batch.blocksPerSequence());
        try {
            binding.input(GraphContract.INPUT_IDS, ElementType.INT64, inputIds, batch.tokens());
            binding.input(GraphContract.LOGIT_ROWS, ElementType.INT64, logitRows, count);
            binding.input(GraphContract.SEQUENCE_STARTS, ElementType.INT32, sequenceStarts, batch.sequences() + 1);
            binding.input(GraphContract.PAST_LENGTHS, ElementType.INT32, pastLengths, batch.sequences());
            binding.input(
                    GraphContract.BLOCK_TABLE,
                    ElementType.INT32,
                    blockTable,
                    batch.sequences(),
                    batch.blocksPerSequence());
            if (wantsBounds) {
                copy(bounds(batch), JAVA_INT, attentionBounds, 2);
                binding.input(GraphContract.ATTENTION_BOUNDS, ElementType.INT32, attentionBounds, 2);
            }
            binding.output(output, ElementType.FLOAT, rows, count, rowWidth);
            binding.run();
        } catch (OnnxException e) {
            throw new StepException(
                    "a step of %d tokens of %d sequences failed: %s"
                            .formatted(batch.tokens(), batch.sequences(), e.getMessage()),
                    e);
        }
        return rows.asSlice(0, (long) batch.rows() * rowWidth * JAVA_FLOAT.byteSize());
    }

    /** The most new tokens of a sequence, and the most tokens of one with its past. */
    private static int[] bounds(StepBatch batch) {
        int[] bounds = new int[2];
        for (int s = 0; s < batch.sequences(); s++) {
            int count = batch.sequenceStarts()[s + 1] - batch.sequenceStarts()[s];
            bounds[0] = Math.max(bounds[0], count);
            bounds[1] = Math.max(bounds[1], batch.pastLengths()[s] + count);
        }
        return bounds;
    }

    private static void copy(Object array, ValueLayout layout, MemorySegment target, int count) {
        MemorySegment.copy(array, 0, target, layout, 0, count);
    }

    private void check(StepBatch batch) {
        if (batch.tokens() < 1 || batch.tokens() > config.maxTokensPerStep()) {
            throw new StepException(
                    "a step of %d tokens; there must be 1 to %d".formatted(batch.tokens(), config.maxTokensPerStep()));
        }
        if (batch.rows() < 0 || batch.rows() > config.maxRowsPerStep()) {
            throw new StepException(
                    "%d rows of logits; there may be %d".formatted(batch.rows(), config.maxRowsPerStep()));
        }
        if (batch.sequences() < 1 || batch.sequences() > batch.tokens()) {
            throw new StepException("%d sequences for %d tokens".formatted(batch.sequences(), batch.tokens()));
        }
        if (batch.blocksPerSequence() < 1 || batch.blocksPerSequence() > maxBlocksPerSequence) {
            throw new StepException("%d blocks of a sequence; the context has %d"
                    .formatted(batch.blocksPerSequence(), maxBlocksPerSequence));
        }
    }

    /**
     * Sets all keys and values to seeded random numbers of magnitude below 1, for measurements: a context costs what it
     * costs in earnest without being computed first. Takes the memory of the whole cache. On the CPU only.
     */
    public void fillCache(long seed) {
        if (!config.device().equals(Device.CPU)) {
            throw new IllegalStateException(
                    "the cache is on " + config.device().label() + ", not in the host's memory");
        }
        Random random = new Random(seed);
        MemorySegment caches = cache.segment();
        switch (config.kvType()) {
            case FP32 -> {
                for (long i = 0; i < caches.byteSize() / Float.BYTES; i++) {
                    caches.setAtIndex(JAVA_FLOAT, i, random.nextFloat() - 0.5f);
                }
            }
            case FP16 -> {
                for (long i = 0; i < caches.byteSize() / Short.BYTES; i++) {
                    caches.setAtIndex(JAVA_SHORT, i, Float.floatToFloat16(random.nextFloat() - 0.5f));
                }
            }
            case INT8 -> {
                // Four bytes that are a small float, so that they may stand for codes and for scales alike.
                for (long i = 0; i < caches.byteSize() / Float.BYTES; i++) {
                    caches.setAtIndex(JAVA_FLOAT, i, (random.nextFloat() + 1) / 256);
                }
            }
        }
    }

    @Override
    public void close() {
        binding.close();
        cache.close();
        session.close();
        memory.close();
    }
}
