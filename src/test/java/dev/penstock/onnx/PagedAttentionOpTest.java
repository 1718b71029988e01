package dev.penstock.onnx;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The attention op as a node of a graph that ONNX Runtime runs. */
class PagedAttentionOpTest {
    private static final int HEADS = 8;
    private static final int KV_HEADS = 2;
    private static final int HEAD_SIZE = 64;
    private static final int WIDTH = (HEADS + 2 * KV_HEADS) * HEAD_SIZE;
    private static final int BLOCK = 16;

    @TempDir
    Path folder;

    private final Random random = new Random(5);

    private Path graph(boolean packed, ElementType cache, Map<String, ?> more) {
        TestGraph graph = new TestGraph();
        List<String> query = packed ? List.of("query", "", "") : List.of("query", "key", "value");
        graph.input("query", ElementType.FLOAT, "T", (long) (packed ? WIDTH : HEADS * HEAD_SIZE));
        if (!packed) {
            graph.input("key", ElementType.FLOAT, "T", (long) KV_HEADS * HEAD_SIZE);
            graph.input("value", ElementType.FLOAT, "T", (long) KV_HEADS * HEAD_SIZE);
        }
        Map<String, Object> attributes = new HashMap<>();
        attributes.put(GraphContract.ATTR_HEADS, (long) HEADS);
        attributes.put(GraphContract.ATTR_KV_HEADS, (long) KV_HEADS);
        attributes.putAll(more);
        return graph.input("key_cache", cache, "B", "P", (long) KV_HEADS, (long) HEAD_SIZE)
                .input("value_cache", cache, "B", "P", (long) KV_HEADS, (long) HEAD_SIZE)
                .input("starts", ElementType.INT32, "S1")
                .input("past", ElementType.INT32, "S")
                .input("table", ElementType.INT32, "S", "M")
                .node(
                        GraphContract.DOMAIN,
                        GraphContract.ATTENTION,
                        "layers.7.attention",
                        List.of(
                                query.get(0),
                                query.get(1),
                                query.get(2),
                                "key_cache",
                                "value_cache",
                                "starts",
                                "past",
                                "table"),
                        List.of("out"),
                        attributes)
                .output("out", ElementType.FLOAT, "T", (long) HEADS * HEAD_SIZE)
                .write(folder.resolve("graph.onnx"));
    }

    /** A prompt of one sequence over consecutive blocks. */
    private final class Prompt implements AutoCloseable {
        final Arena arena = Arena.ofShared();
        final int tokens;
        final MemorySegment query;
        final MemorySegment keyCache;
        final MemorySegment valueCache;
        final MemorySegment starts;
        final MemorySegment past;
        final MemorySegment table;
        final MemorySegment out;
        final int blocks;
        final ElementType cache;

        Prompt(int tokens, ElementType cache) {
            this.tokens = tokens;
            this.cache = cache;
            blocks = (tokens + BLOCK - 1) / BLOCK;
            query = arena.allocate(JAVA_FLOAT, (long) tokens * WIDTH);
            for (long i = 0; i < (long) tokens * WIDTH; i++) {
                query.setAtIndex(JAVA_FLOAT, i, (float) random.nextGaussian());
            }
            long cacheBytes = (long) blocks * BLOCK * KV_HEADS * HEAD_SIZE * cache.bytes();
            keyCache = arena.allocate(cacheBytes, 64);
            valueCache = arena.allocate(cacheBytes, 64);
            starts = arena.allocateFrom(JAVA_INT, 0, tokens);
            past = arena.allocateFrom(JAVA_INT, 0);
            table = arena.allocate(JAVA_INT, blocks);
            for (int b = 0; b < blocks; b++) {
                table.setAtIndex(JAVA_INT, b, b);
            }
            out = arena.allocate(JAVA_FLOAT, (long) tokens * HEADS * HEAD_SIZE);
        }

        void bind(OnnxBinding binding) {
            binding.input("query", ElementType.FLOAT, query, tokens, WIDTH);
            bindRest(binding);
        }

        void bindRest(OnnxBinding binding) {
            binding.input("key_cache", cache, keyCache, blocks, BLOCK, KV_HEADS, HEAD_SIZE);
            binding.input("value_cache", cache, valueCache, blocks, BLOCK, KV_HEADS, HEAD_SIZE);
            binding.input("starts", ElementType.INT32, starts, 2);
            binding.input("past", ElementType.INT32, past, 1);
            binding.input("table", ElementType.INT32, table, 1, blocks);
            binding.output("out", ElementType.FLOAT, out, tokens, HEADS * HEAD_SIZE);
        }

        /** Value h * HEAD_SIZE + i of a token's result, in double precision. */
        double expected(int token, int head, int i) {
            int kvHead = head / (HEADS / KV_HEADS);
            double sum = 0;
            double result = 0;
            double[] scores = new double[token + 1];
            double max = Double.NEGATIVE_INFINITY;
            for (int j = 0; j <= token; j++) {
                for (int d = 0; d < HEAD_SIZE; d++) {
                    scores[j] += at(token, head * HEAD_SIZE + d)
                            * (double) at(j, (HEADS + kvHead) * HEAD_SIZE + d)
                            / Math.sqrt(HEAD_SIZE);
                }
                max = Math.max(max, scores[j]);
            }
            for (int j = 0; j <= token; j++) {
                double weight = Math.exp(scores[j] - max);
                sum += weight;
                result += weight * at(j, (HEADS + KV_HEADS + kvHead) * HEAD_SIZE + i);
            }
            return result / sum;
        }

        private float at(int token, int column) {
            return query.getAtIndex(JAVA_FLOAT, (long) token * WIDTH + column);
        }

        void expectRight(double tolerance) {
            for (int check = 0; check < 300; check++) {
                int token = check == 0 ? tokens - 1 : random.nextInt(tokens);
                int head = random.nextInt(HEADS);
                int i = random.nextInt(HEAD_SIZE);
                double got = out.getAtIndex(JAVA_FLOAT, ((long) token * HEADS + head) * HEAD_SIZE + i);
                assertThat(Math.abs(got - expected(token, head, i)))
                        .as("token %d, head %d", token, head)
                        .isLessThan(tolerance);
            }
        }

        @Override
        public void close() {
            arena.close();
        }
    }

    @Test
    void packedRowsOfALongPromptRunInParallelOnOnnxRuntimesThreads() {
        Path graph = graph(true, ElementType.FLOAT16, Map.of());
        try (OnnxSession session = OnnxSession.open(graph, SessionConfig.ofThreads(4));
                OnnxBinding binding = session.bind();
                Prompt prompt = new Prompt(700, ElementType.FLOAT16)) {
            prompt.bind(binding);
            binding.run();
            prompt.expectRight(8e-3);
        }
    }

    @Test
    void queryKeyAndValueMayComeApart() {
        Path graph = graph(false, ElementType.FLOAT, Map.of());
        try (OnnxSession session = OnnxSession.open(graph, SessionConfig.ofThreads(2));
                OnnxBinding binding = session.bind();
                Prompt prompt = new Prompt(50, ElementType.FLOAT)) {
            MemorySegment query = prompt.arena.allocate(JAVA_FLOAT, 50L * HEADS * HEAD_SIZE);
            MemorySegment key = prompt.arena.allocate(JAVA_FLOAT, 50L * KV_HEADS * HEAD_SIZE);
            MemorySegment value = prompt.arena.allocate(JAVA_FLOAT, 50L * KV_HEADS * HEAD_SIZE);
            long queryBytes = 4L * HEADS * HEAD_SIZE;
            long keyBytes = 4L * KV_HEADS * HEAD_SIZE;
            for (int t = 0; t < 50; t++) {
                long row = 4L * t * WIDTH;
                MemorySegment.copy(prompt.query, row, query, t * queryBytes, queryBytes);
                MemorySegment.copy(prompt.query, row + queryBytes, key, t * keyBytes, keyBytes);
                MemorySegment.copy(prompt.query, row + queryBytes + keyBytes, value, t * keyBytes, keyBytes);
            }
            binding.input("query", ElementType.FLOAT, query, 50, HEADS * HEAD_SIZE);
            binding.input("key", ElementType.FLOAT, key, 50, KV_HEADS * HEAD_SIZE);
            binding.input("value", ElementType.FLOAT, value, 50, KV_HEADS * HEAD_SIZE);
            prompt.bindRest(binding);
            binding.run();
            prompt.expectRight(2e-5);
        }
    }

    @Test
    void aKernelsErrorFailsTheRunNamesItsNodeAndLeavesTheSessionUsable() {
        Path graph = graph(true, ElementType.FLOAT16, Map.of());
        try (OnnxSession session = OnnxSession.open(graph, SessionConfig.ofThreads(2));
                OnnxBinding binding = session.bind();
                Prompt prompt = new Prompt(100, ElementType.FLOAT16)) {
            prompt.bind(binding);
            prompt.table.setAtIndex(JAVA_INT, 3, 1_000_000);
            assertThatThrownBy(binding::run)
                    .isInstanceOf(OnnxException.class)
                    .hasMessageContaining("layers.7.attention")
                    .hasMessageContaining("sequence 0 names block 1000000 of 7");
            prompt.table.setAtIndex(JAVA_INT, 3, -1);
            assertThatThrownBy(binding::run).hasMessageContaining("names block -1 of 7");
            prompt.table.setAtIndex(JAVA_INT, 3, 3);
            prompt.past.setAtIndex(JAVA_INT, 0, 13);
            assertThatThrownBy(binding::run).hasMessageContaining("does not fit into 7 blocks of 16");
            prompt.past.setAtIndex(JAVA_INT, 0, 0);
            prompt.starts.setAtIndex(JAVA_INT, 1, 101);
            assertThatThrownBy(binding::run).hasMessageContaining("the last sequence ends at 101 of 100 tokens");
            prompt.starts.setAtIndex(JAVA_INT, 1, 100);
            binding.run();
            prompt.expectRight(8e-3);
        }
    }

    @Test
    void attributesThatMakeNoSenseFailTheLoad() {
        Path graph = graph(true, ElementType.FLOAT, Map.of(GraphContract.ATTR_KV_HEADS, 3L));
        assertThatThrownBy(() -> OnnxSession.open(graph, SessionConfig.ofThreads(1)))
                .isInstanceOf(OnnxException.class)
                .hasMessageContaining("8 query heads do not divide over 3 key heads");
    }

    @Test
    void sessionsOfTheSameGraphDoNotDisturbEachOther() {
        Path graph = graph(true, ElementType.FLOAT, Map.of());
        try (OnnxSession first = OnnxSession.open(graph, SessionConfig.ofThreads(2));
                OnnxBinding binding = first.bind();
                Prompt prompt = new Prompt(300, ElementType.FLOAT)) {
            try (OnnxSession second = OnnxSession.open(graph, SessionConfig.ofThreads(2));
                    OnnxBinding other = second.bind();
                    Prompt otherPrompt = new Prompt(200, ElementType.FLOAT)) {
                prompt.bind(binding);
                otherPrompt.bind(other);
                binding.run();
                other.run();
                otherPrompt.expectRight(2e-5);
            }
            binding.run();
            prompt.expectRight(2e-5);
        }
    }
}
