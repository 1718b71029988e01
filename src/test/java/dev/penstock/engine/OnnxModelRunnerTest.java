package dev.penstock.engine;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.model.DecoderShape;
import dev.penstock.model.KvType;
import dev.penstock.onnx.ElementType;
import dev.penstock.onnx.GraphContract;
import dev.penstock.onnx.OnnxException;
import dev.penstock.onnx.TestGraph;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The runner over a model of one attention layer with no MLP: small enough to be computed by hand. */
class OnnxModelRunnerTest {
    private static final int HEADS = 4;
    private static final int KV_HEADS = 2;
    private static final int HEAD_SIZE = 8;
    private static final int HIDDEN = HEADS * HEAD_SIZE;
    private static final int WIDTH = (HEADS + 2 * KV_HEADS) * HEAD_SIZE;
    private static final int VOCAB = 50;
    private static final DecoderShape SHAPE =
            new DecoderShape("test", 1, HIDDEN, HEADS, KV_HEADS, HEAD_SIZE, 1, VOCAB, 200);
    private static final RunnerConfig CONFIG = new RunnerConfig(2, KvType.FP32, 16, 40, 128, 16);

    @TempDir
    Path folder;

    private final Random random = new Random(3);
    private final float[] embedding = numbers(VOCAB * HIDDEN);
    private final float[] qkv = numbers(HIDDEN * WIDTH);
    private final float[] head = numbers(HIDDEN * VOCAB);

    private float[] numbers(int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian() * 0.3f;
        }
        return numbers;
    }

    @BeforeEach
    void writeGraph() {
        new TestGraph()
                .input(GraphContract.INPUT_IDS, ElementType.INT64, "T")
                .input(GraphContract.LOGIT_ROWS, ElementType.INT64, "R")
                .input(GraphContract.SEQUENCE_STARTS, ElementType.INT32, "S1")
                .input(GraphContract.PAST_LENGTHS, ElementType.INT32, "S")
                .input(GraphContract.BLOCK_TABLE, ElementType.INT32, "S", "M")
                .input(GraphContract.keyCache(0), ElementType.FLOAT, "B", "P", (long) KV_HEADS, (long) HEAD_SIZE)
                .input(GraphContract.valueCache(0), ElementType.FLOAT, "B", "P", (long) KV_HEADS, (long) HEAD_SIZE)
                .constant("embedding", embedding, VOCAB, HIDDEN)
                .constant("qkv", qkv, HIDDEN, WIDTH)
                .constant("head", head, HIDDEN, VOCAB)
                .node("", "Gather", "embed", List.of("embedding", GraphContract.INPUT_IDS), List.of("x"), Map.of())
                .node("", "MatMul", "project", List.of("x", "qkv"), List.of("packed"), Map.of())
                .node(
                        GraphContract.DOMAIN,
                        GraphContract.ATTENTION,
                        GraphContract.attentionNode(0),
                        List.of(
                                "packed",
                                "",
                                "",
                                GraphContract.keyCache(0),
                                GraphContract.valueCache(0),
                                GraphContract.SEQUENCE_STARTS,
                                GraphContract.PAST_LENGTHS,
                                GraphContract.BLOCK_TABLE),
                        List.of("attended"),
                        Map.of(GraphContract.ATTR_HEADS, (long) HEADS, GraphContract.ATTR_KV_HEADS, (long) KV_HEADS))
                .node("", "Gather", "pick", List.of("attended", GraphContract.LOGIT_ROWS), List.of("rows"), Map.of())
                .node("", "MatMul", "head", List.of("rows", "head"), List.of(GraphContract.LOGITS), Map.of())
                .output(GraphContract.LOGITS, ElementType.FLOAT, "R", (long) VOCAB)
                .write(folder.resolve(GraphContract.graphFile(KvType.FP32)));
    }

    /** Logits after the last of these tokens, computed plainly. */
    private double[] expected(long... ids) {
        int n = ids.length;
        double[][] rows = new double[n][WIDTH];
        for (int t = 0; t < n; t++) {
            for (int c = 0; c < WIDTH; c++) {
                for (int i = 0; i < HIDDEN; i++) {
                    rows[t][c] += (double) embedding[(int) ids[t] * HIDDEN + i] * qkv[i * WIDTH + c];
                }
            }
        }
        double[] attended = new double[HIDDEN];
        for (int h = 0; h < HEADS; h++) {
            int kvHead = h / (HEADS / KV_HEADS);
            double[] weights = new double[n];
            double sum = 0;
            for (int j = 0; j < n; j++) {
                double dot = 0;
                for (int i = 0; i < HEAD_SIZE; i++) {
                    dot += rows[n - 1][h * HEAD_SIZE + i] * rows[j][(HEADS + kvHead) * HEAD_SIZE + i];
                }
                weights[j] = Math.exp(dot / Math.sqrt(HEAD_SIZE));
                sum += weights[j];
            }
            for (int j = 0; j < n; j++) {
                for (int i = 0; i < HEAD_SIZE; i++) {
                    attended[h * HEAD_SIZE + i] +=
                            weights[j] / sum * rows[j][(HEADS + KV_HEADS + kvHead) * HEAD_SIZE + i];
                }
            }
        }
        double[] logits = new double[VOCAB];
        for (int v = 0; v < VOCAB; v++) {
            for (int i = 0; i < HIDDEN; i++) {
                logits[v] += attended[i] * head[i * VOCAB + v];
            }
        }
        return logits;
    }

    private static void expectRow(MemorySegment logits, int row, double... expected) {
        for (int v = 0; v < VOCAB; v++) {
            double got = logits.getAtIndex(JAVA_FLOAT, (long) row * VOCAB + v);
            assertThat(Math.abs(got - expected[v]))
                    .as("row %d, token %d", row, v)
                    .isLessThan(1e-5);
        }
    }

    private long[] tokens(int count) {
        return random.longs(count, 0, VOCAB).toArray();
    }

    @Test
    void raggedStepsOfChunksAndDecodesGiveTheLogitsOfEachSequenceAlone() {
        long[] a = tokens(60);
        long[] b = tokens(45);
        try (OnnxModelRunner runner = OnnxModelRunner.open(folder, SHAPE, CONFIG)) {
            // a: 50 tokens in blocks 5, 2, 9, 1; b: 20 of its tokens in blocks 0, 7
            long[] ids = new long[70];
            System.arraycopy(a, 0, ids, 0, 50);
            System.arraycopy(b, 0, ids, 50, 20);
            MemorySegment logits = runner.run(new StepBatch(
                    ids,
                    70,
                    new int[] {0, 50, 70},
                    new int[] {0, 0},
                    2,
                    new int[] {5, 2, 9, 1, 0, 7, 0, 0},
                    4,
                    new long[] {49, 0},
                    1));
            assertThat(logits.byteSize()).isEqualTo(4L * VOCAB);
            expectRow(logits, 0, expected(java.util.Arrays.copyOf(a, 50)));

            // One more token of a, the rest of b; logits of both, b's first.
            ids[0] = a[50];
            System.arraycopy(b, 20, ids, 1, 25);
            logits = runner.run(new StepBatch(
                    ids,
                    26,
                    new int[] {0, 1, 26},
                    new int[] {50, 20},
                    2,
                    new int[] {5, 2, 9, 1, 0, 7, 11, 0},
                    4,
                    new long[] {25, 0},
                    2));
            expectRow(logits, 0, expected(b));
            expectRow(logits, 1, expected(java.util.Arrays.copyOf(a, 51)));
        }
    }

    @Test
    void aStepMayWantNoLogits() {
        long[] a = tokens(20);
        try (OnnxModelRunner runner = OnnxModelRunner.open(folder, SHAPE, CONFIG)) {
            MemorySegment none = runner.run(
                    new StepBatch(a, 19, new int[] {0, 19}, new int[] {0}, 1, new int[] {3, 4}, 2, new long[0], 0));
            assertThat(none.byteSize()).isZero();
            MemorySegment logits = runner.run(new StepBatch(
                    new long[] {a[19]},
                    1,
                    new int[] {0, 1},
                    new int[] {19},
                    1,
                    new int[] {3, 4},
                    2,
                    new long[] {0},
                    1));
            expectRow(logits, 0, expected(a));
        }
    }

    @Test
    void aFailedStepSaysWhyAndTheNextOneRuns() {
        long[] a = tokens(10);
        int[] starts = {0, 10};
        long[] rows = {9};
        try (OnnxModelRunner runner = OnnxModelRunner.open(folder, SHAPE, CONFIG)) {
            assertThatThrownBy(() ->
                            runner.run(new StepBatch(a, 10, starts, new int[] {0}, 1, new int[] {40}, 1, rows, 1)))
                    .isInstanceOf(StepException.class)
                    .hasMessageContaining(GraphContract.attentionNode(0))
                    .hasMessageContaining("sequence 0 names block 40 of 40");
            long[] wrong = a.clone();
            wrong[4] = VOCAB;
            assertThatThrownBy(() ->
                            runner.run(new StepBatch(wrong, 10, starts, new int[] {0}, 1, new int[] {1}, 1, rows, 1)))
                    .isInstanceOf(StepException.class)
                    .hasMessageContaining("embed");
            assertThatThrownBy(
                            () -> runner.run(new StepBatch(a, 0, starts, new int[] {0}, 1, new int[] {1}, 1, rows, 1)))
                    .isInstanceOf(StepException.class);
            expectRow(
                    runner.run(new StepBatch(a, 10, starts, new int[] {0}, 1, new int[] {1}, 1, rows, 1)),
                    0,
                    expected(a));
        }
    }

    @Test
    void aGraphOfAnotherShapeOrCacheTypeIsRefused() {
        DecoderShape twoLayers = new DecoderShape("test", 2, HIDDEN, HEADS, KV_HEADS, HEAD_SIZE, 1, VOCAB, 200);
        assertThatThrownBy(() -> OnnxModelRunner.open(folder, twoLayers, CONFIG))
                .isInstanceOf(OnnxException.class)
                .hasMessageContaining("has no input key_cache.1");
        RunnerConfig half = new RunnerConfig(2, KvType.FP16, 16, 40, 128, 16);
        assertThatThrownBy(() -> OnnxModelRunner.open(folder, SHAPE, half))
                .isInstanceOf(OnnxException.class)
                .hasMessageContaining(GraphContract.graphFile(KvType.FP16));
    }
}
