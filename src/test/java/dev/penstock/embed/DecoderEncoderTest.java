package dev.penstock.embed;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.model.EncoderTask;
import dev.penstock.model.KvType;
import dev.penstock.model.Pooling;
import dev.penstock.model.Precision;
import dev.penstock.prompt.EncoderInput;
import dev.penstock.weights.BuildOptions;
import dev.penstock.weights.BuildProgress;
import dev.penstock.weights.EncoderFolder;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.ReferenceModel;
import dev.penstock.weights.TinyFamilies;
import dev.penstock.weights.TinyModel;
import dev.penstock.weights.TinyModels;
import dev.penstock.weights.Variant;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Hidden states of built graphs against {@link ReferenceModel}. */
class DecoderEncoderTest {
    private static final Offset<Double> CLOSE = Offset.offset(2e-3);

    /** Tokens of a step: fewer than some inputs have. */
    private static final int STEP = 24;

    @TempDir
    private Path temp;

    static Stream<TinyModel> models() {
        return Stream.concat(TinyModels.all(), TinyFamilies.all());
    }

    private DecoderEncoder open(Path folder, Pooling pooling, Precision precision) {
        EncoderFolder found =
                EncoderFolder.find(folder, Optional.of(EncoderTask.EMBED)).orElseThrow();
        EncoderFolder.Decoder decoder = (EncoderFolder.Decoder) found.weights();
        Variant variant = new ModelStore(temp.resolve("store"))
                .build(decoder.model(), precision, BuildOptions.defaults(), BuildProgress.NONE);
        EncoderOptions options = new EncoderOptions(
                EncoderTask.EMBED, Optional.empty(), pooling, false, found.width(), found.positions(), 0, 1);
        return DecoderEncoder.open(
                variant.folder(), variant.shape().withContextLength(found.positions()), KvType.FP32, options, STEP);
    }

    private static EncoderInput input(Random random, int vocab, int length) {
        return new EncoderInput(random.ints(length, 0, vocab).toArray());
    }

    private static double[] expected(ReferenceModel reference, EncoderInput input, Pooling pooling) {
        double[][] states = reference.hidden(input.tokens());
        return switch (pooling) {
            case CLS -> states[0];
            case LAST -> states[states.length - 1];
            case MEAN -> {
                double[] mean = new double[states[0].length];
                Arrays.stream(states).forEach(state -> {
                    for (int i = 0; i < mean.length; i++) {
                        mean[i] += state[i] / states.length;
                    }
                });
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
    @MethodSource("models")
    void theLastTokensStateIsThatOfTheReferenceForEveryFamily(TinyModel tiny) {
        Path folder = tiny.write(temp.resolve("model"));
        ReferenceModel reference = ReferenceModel.read(folder);
        Random random = new Random(tiny.seed());
        try (DecoderEncoder encoder = open(folder, Pooling.LAST, Precision.FP32)) {
            List<EncoderInput> inputs = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                inputs.add(input(random, tiny.vocab(), 1 + random.nextInt(20)));
            }
            float[][] rows = encoder.run(inputs);
            for (int i = 0; i < rows.length; i++) {
                assertClose(rows[i], expected(reference, inputs.get(i), Pooling.LAST));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void inputsOfManyStepsAndManyInputsOfAStepArePooledAlike(Pooling pooling) {
        TinyModel tiny = TinyModels.gqa();
        Path folder = tiny.write(temp.resolve("model"));
        ReferenceModel reference = ReferenceModel.read(folder);
        Random random = new Random(4);
        try (DecoderEncoder encoder = open(folder, pooling, Precision.FP32)) {
            List<EncoderInput> inputs = new ArrayList<>();
            int longest = encoder.contextLength();
            for (int length : new int[] {5, longest, 17, 1, longest / 2, 33, 2}) {
                inputs.add(input(random, tiny.vocab(), length));
            }
            float[][] rows = encoder.run(inputs);
            for (int i = 0; i < rows.length; i++) {
                assertClose(rows[i], expected(reference, inputs.get(i), pooling));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"INT8", "FP32"})
    void anInputAloneGivesWhatItGivesBesideOthers(Precision precision) {
        TinyModel tiny = TinyModels.gqa();
        Path folder = tiny.write(temp.resolve("model"));
        Random random = new Random(5);
        try (DecoderEncoder encoder = open(folder, Pooling.LAST, precision)) {
            List<EncoderInput> inputs = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                inputs.add(input(random, tiny.vocab(), 1 + random.nextInt(40)));
            }
            float[][] together = encoder.run(inputs);
            for (int i = 0; i < together.length; i++) {
                float[] alone = encoder.run(List.of(inputs.get(i)))[0];
                for (int j = 0; j < alone.length; j++) {
                    assertThat((double) together[i][j]).isCloseTo(alone[j], Offset.offset(1e-4));
                }
            }
        }
    }
}
