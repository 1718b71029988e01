package dev.penstock.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.model.EncoderTask;
import dev.penstock.model.Pooling;
import dev.penstock.onnx.OnnxException;
import dev.penstock.prompt.EncoderInput;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class OnnxEncoderTest {
    private static final int CONTEXT = 30;
    private static final Offset<Double> CLOSE = Offset.offset(1e-4);

    @TempDir
    private Path folder;

    private final TinyEncoder tiny = new TinyEncoder(3);

    private static EncoderOptions options(EncoderTask task, Pooling pooling, boolean normalize) {
        return new EncoderOptions(task, Optional.empty(), pooling, normalize, TinyEncoder.WIDTH, CONTEXT, 0, 1);
    }

    static List<EncoderInput> inputs(long seed, int count) {
        Random random = new Random(seed);
        List<EncoderInput> inputs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int length = 1 + random.nextInt(CONTEXT);
            inputs.add(new EncoderInput(
                    random.ints(length, 0, TinyEncoder.VOCAB).toArray(),
                    random.ints(length, 0, 2).toArray()));
        }
        return inputs;
    }

    private static double[] pooled(Pooling pooling, double[][] vectors) {
        return switch (pooling) {
            case CLS -> vectors[0];
            case LAST -> vectors[vectors.length - 1];
            case MEAN -> {
                double[] mean = new double[TinyEncoder.WIDTH];
                for (double[] vector : vectors) {
                    for (int i = 0; i < mean.length; i++) {
                        mean[i] += vector[i] / vectors.length;
                    }
                }
                yield mean;
            }
        };
    }

    private static void assertClose(float[] row, double[] expected) {
        assertThat(row).hasSize(expected.length);
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) row[i]).isCloseTo(expected[i], CLOSE);
        }
    }

    @ParameterizedTest
    @EnumSource
    void rowsOfAPaddedBatchAreThoseOfTheReferenceForEachInputAlone(Pooling pooling) {
        Path graph = tiny.writeVectors(folder.resolve("model.onnx"), "last_hidden_state");
        try (OnnxEncoder encoder = OnnxEncoder.open(graph, options(EncoderTask.EMBED, pooling, false))) {
            List<EncoderInput> inputs = inputs(7, 20);
            float[][] rows = encoder.run(inputs);
            for (int i = 0; i < rows.length; i++) {
                assertClose(rows[i], pooled(pooling, tiny.vectors(inputs.get(i))));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"last_hidden_state", "token_embeddings", "output_0"})
    void normalizedRowsHaveLengthOne(String output) {
        Path graph = tiny.writeVectors(folder.resolve("model.onnx"), output);
        try (OnnxEncoder encoder = OnnxEncoder.open(graph, options(EncoderTask.EMBED, Pooling.MEAN, true))) {
            for (float[] row : encoder.run(inputs(8, 5))) {
                double squares = 0;
                for (float x : row) {
                    squares += (double) x * x;
                }
                assertThat(squares).isCloseTo(1, CLOSE);
            }
        }
    }

    @Test
    void aRerankerGivesTheLogisticFunctionOfItsLogit() {
        Path graph = tiny.writeLogits(folder.resolve("model.onnx"));
        try (OnnxEncoder encoder = OnnxEncoder.open(graph, options(EncoderTask.RERANK, Pooling.MEAN, true))) {
            List<EncoderInput> inputs = inputs(9, 10);
            float[][] rows = encoder.run(inputs);
            for (int i = 0; i < rows.length; i++) {
                assertClose(rows[i], new double[] {1 / (1 + Math.exp(-tiny.logit(inputs.get(i))))});
            }
        }
    }

    @Test
    void aGraphForSomethingElseIsRefusedWithItsOutputs() {
        Path vectors = tiny.writeVectors(folder.resolve("vectors.onnx"), "last_hidden_state");
        assertThatThrownBy(() -> OnnxEncoder.open(vectors, options(EncoderTask.RERANK, Pooling.MEAN, true)))
                .isInstanceOf(OnnxException.class)
                .hasMessageContaining("last_hidden_state")
                .hasMessageContaining("a reranker gives logits");
        Path logits = tiny.writeLogits(folder.resolve("logits.onnx"));
        assertThatThrownBy(() -> OnnxEncoder.open(logits, options(EncoderTask.EMBED, Pooling.MEAN, true)))
                .isInstanceOf(OnnxException.class)
                .hasMessageContaining("an encoder gives last_hidden_state");
    }

    /** As Hugging Face's cache has them: links to files that are named by their hashes. */
    @Test
    void aGraphWithDataInAFileOfItsOwnIsReadThroughLinks() throws IOException {
        Path graph = folder.resolve("model.onnx");
        Path data = tiny.writeVectorsApart(graph, "last_hidden_state", "model.onnx_data");
        Path blobs = Files.createDirectories(folder.resolve("blobs"));
        Path snapshot = Files.createDirectories(folder.resolve("snapshot/onnx"));
        Files.createSymbolicLink(snapshot.resolve("model.onnx"), Files.move(graph, blobs.resolve("abc")));
        Files.createSymbolicLink(snapshot.resolve("model.onnx_data"), Files.move(data, blobs.resolve("def")));
        try (OnnxEncoder encoder =
                OnnxEncoder.open(snapshot.resolve("model.onnx"), options(EncoderTask.EMBED, Pooling.CLS, false))) {
            EncoderInput input = inputs(3, 1).getFirst();
            assertClose(encoder.run(List.of(input))[0], tiny.vectors(input)[0]);
        }
    }

    @Test
    void aBatchOfMoreTokensThanItsMemoryHoldsIsRefused() {
        Path graph = tiny.writeVectors(folder.resolve("model.onnx"), "last_hidden_state");
        try (OnnxEncoder encoder = OnnxEncoder.open(graph, options(EncoderTask.EMBED, Pooling.MEAN, true))) {
            List<EncoderInput> many = new ArrayList<>(inputs(1, 1));
            for (int i = 0; i < OnnxEncoder.MAX_BATCH_TOKENS / CONTEXT + 1; i++) {
                many.add(new EncoderInput(new int[CONTEXT]));
            }
            assertThatThrownBy(() -> encoder.run(many)).isInstanceOf(OnnxException.class);
        }
    }
}
