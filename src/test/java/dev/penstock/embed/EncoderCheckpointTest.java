package dev.penstock.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.model.EncoderTask;
import dev.penstock.model.KvType;
import dev.penstock.model.Pooling;
import dev.penstock.model.Precision;
import dev.penstock.prompt.EncoderInput;
import dev.penstock.weights.BuildOptions;
import dev.penstock.weights.BuildProgress;
import dev.penstock.weights.EncoderCheckpoint;
import dev.penstock.weights.EncoderFolder;
import dev.penstock.weights.ModelFolderException;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.Variant;
import dev.penstock.weights.WeightLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Graphs of encoders that are built from safetensors, against {@link TinyBert}'s own arithmetic. */
class EncoderCheckpointTest {
    private static final Offset<Double> CLOSE = Offset.offset(1e-3);

    @TempDir
    private Path temp;

    private OnnxEncoder open(Path folder, Precision precision) {
        EncoderFolder found = EncoderFolder.find(folder, Optional.empty()).orElseThrow();
        Path graph = new ModelStore(temp.resolve("store"))
                .build((EncoderCheckpoint) found.weights(), precision, BuildOptions.defaults(), BuildProgress.NONE)
                .graph(KvType.FP16);
        return OnnxEncoder.open(
                graph,
                new EncoderOptions(
                        found.task(),
                        Optional.empty(),
                        Pooling.LAST,
                        false,
                        found.width(),
                        found.positions(),
                        found.padToken(),
                        1));
    }

    private static List<EncoderInput> inputs(int count, int longest) {
        Random random = new Random(2);
        List<EncoderInput> inputs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int length = i == 0 ? longest : 1 + random.nextInt(longest);
            // 0 and 1 may be padding.
            inputs.add(new EncoderInput(
                    random.ints(length, 2, TinyBert.VOCAB).toArray(),
                    random.ints(length, 0, 2).toArray()));
        }
        return inputs;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void vectorsAreThoseOfTheReferenceAloneAndInABatch(boolean roberta) {
        TinyBert bert = new TinyBert(roberta, false, 21);
        try (OnnxEncoder encoder = open(bert.write(temp.resolve("model")), Precision.FP32)) {
            List<EncoderInput> inputs = inputs(12, encoder.contextLength());
            float[][] rows = encoder.run(inputs);
            for (int i = 0; i < rows.length; i++) {
                double[][] expected = bert.vectors(inputs.get(i));
                float[] alone = encoder.run(List.of(inputs.get(i)))[0];
                for (int j = 0; j < TinyBert.HIDDEN; j++) {
                    assertThat((double) rows[i][j]).isCloseTo(expected[expected.length - 1][j], CLOSE);
                    assertThat((double) rows[i][j]).isCloseTo(alone[j], Offset.offset(1e-5));
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void scoresAreThoseOfTheReference(boolean roberta) {
        TinyBert bert = new TinyBert(roberta, true, 22);
        try (OnnxEncoder encoder = open(bert.write(temp.resolve("model")), Precision.FP32)) {
            List<EncoderInput> inputs = inputs(8, encoder.contextLength());
            float[][] rows = encoder.run(inputs);
            for (int i = 0; i < rows.length; i++) {
                assertThat((double) rows[i][0]).isCloseTo(1 / (1 + Math.exp(-bert.logit(inputs.get(i)))), CLOSE);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"INT8", "INT4"})
    void quantisedVectorsStayNearAndDoNotDependOnTheBatch(Precision precision) {
        TinyBert bert = new TinyBert(false, false, 23);
        try (OnnxEncoder encoder = open(bert.write(temp.resolve("model")), precision)) {
            List<EncoderInput> inputs = inputs(6, encoder.contextLength());
            float[][] rows = encoder.run(inputs);
            for (int i = 0; i < rows.length; i++) {
                double[][] states = bert.vectors(inputs.get(i));
                double[] expected = states[states.length - 1];
                float[] alone = encoder.run(List.of(inputs.get(i)))[0];
                double dot = 0;
                double squares = 0;
                double exact = 0;
                for (int j = 0; j < TinyBert.HIDDEN; j++) {
                    dot += rows[i][j] * expected[j];
                    squares += rows[i][j] * rows[i][j];
                    exact += expected[j] * expected[j];
                    assertThat((double) rows[i][j]).isCloseTo(alone[j], Offset.offset(1e-4));
                }
                assertThat(dot / Math.sqrt(squares * exact)).isGreaterThan(precision == Precision.INT8 ? 0.999 : 0.95);
            }
        }
    }

    @Test
    void aFolderSaysWhatItsEncoderIsForAndHowMuchItTakes() {
        EncoderFolder bert = EncoderFolder.find(
                        new TinyBert(false, false, 1).write(temp.resolve("a")), Optional.empty())
                .orElseThrow();
        EncoderFolder scorer = EncoderFolder.find(
                        new TinyBert(true, true, 1).write(temp.resolve("b")), Optional.empty())
                .orElseThrow();

        assertThat(bert.task()).isEqualTo(EncoderTask.EMBED);
        assertThat(bert.pooling()).isEqualTo(Pooling.MEAN);
        assertThat(bert.normalized()).isTrue();
        assertThat(bert.positions()).isEqualTo(TinyBert.POSITIONS);
        assertThat(scorer.task()).isEqualTo(EncoderTask.RERANK);
        assertThat(scorer.positions()).isEqualTo(TinyBert.POSITIONS - 2);
    }

    @Test
    void aClassifierOfSeveralLabelsIsNoReranker() {
        Path folder = new TinyBert(false, true, 1).write(temp.resolve("model"));
        EncoderFolders.write(folder, "config.json", """
                {'architectures': ['BertForSequenceClassification'], 'model_type': 'bert', 'hidden_size': 32,
                 'id2label': {'0': 'good', '1': 'bad'}}
                """);

        assertThatThrownBy(() -> EncoderFolder.find(folder, Optional.empty()))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("2 labels");
    }

    /** A variant's id says what it was made from and by which version of the builder. */
    @ParameterizedTest
    @CsvSource({
        "FP32, STANDARD, 3100a400dc04be22, cf28837d6174a3b2",
        "INT8, STANDARD, f736ec079293196f, d806bb54e32fbceb",
        "INT8, PACKED, bf7d49eadc23ed82, 0e4361633882207b",
        "INT4, PACKED, 7a788c3cab30eb3d, 5892c1bb83ed9ded",
    })
    void theSameIdMeansTheSameBytes(Precision precision, WeightLayout layout, String knownId, String knownBytes)
            throws Exception {
        MessageDigest ids = MessageDigest.getInstance("SHA-256");
        MessageDigest contents = MessageDigest.getInstance("SHA-256");
        for (boolean roberta : new boolean[] {false, true}) {
            Path folder = new TinyBert(roberta, roberta, 24).write(temp.resolve("model" + roberta));
            EncoderFolder found = EncoderFolder.find(folder, Optional.empty()).orElseThrow();
            Variant variant = new ModelStore(temp.resolve("store"))
                    .build(
                            (EncoderCheckpoint) found.weights(),
                            precision,
                            new BuildOptions(2, 1 << 20, layout),
                            BuildProgress.NONE);
            ids.update(variant.id().getBytes(StandardCharsets.US_ASCII));
            contents.update(Files.readAllBytes(variant.folder().resolve("model.onnx.data")));
            contents.update(Files.readAllBytes(variant.graph(KvType.FP16)));
        }
        String id = HexFormat.of().formatHex(ids.digest(), 0, 8);
        String bytes = HexFormat.of().formatHex(contents.digest(), 0, 8);

        if (id.equals(knownId)) {
            assertThat(bytes)
                    .as("%s %s: layout changed: raise ModelStore.ENCODER_VERSION", precision, layout)
                    .isEqualTo(knownBytes);
        }
        assertThat(id + ", " + bytes)
                .as("%s %s: a new id: write it down here with its bytes", precision, layout)
                .isEqualTo(knownId + ", " + knownBytes);
    }
}
