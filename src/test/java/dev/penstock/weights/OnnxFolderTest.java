package dev.penstock.weights;

import static dev.penstock.weights.PackedRuns.BLOCKS;
import static dev.penstock.weights.PackedRuns.BLOCK_SIZE;
import static dev.penstock.weights.PackedRuns.FP32_TOLERANCE;
import static dev.penstock.weights.PackedRuns.alone;
import static dev.penstock.weights.PackedRuns.together;
import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.engine.OnnxModelRunner;
import dev.penstock.engine.RunnerConfig;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.weights.ClassicAttention.Form;
import dev.penstock.weights.ClassicDecoder.Matrices;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Logits of imported graphs against {@link ReferenceModel}. */
class OnnxFolderTest {
    @TempDir
    Path temp;

    static Stream<Arguments> exports() {
        return Stream.concat(TinyModels.all(), TinyFamilies.all())
                .filter(t -> !t.sparse())
                .flatMap(t -> Stream.of(Form.values()).map(f -> Arguments.of(t, f)));
    }

    @ParameterizedTest
    @MethodSource("exports")
    void logitsAreThoseOfTheReference(TinyModel tiny, Form form) {
        HuggingFaceFolder source = HuggingFaceFolder.read(tiny.write(temp.resolve("model")));
        Assumptions.assumeTrue(source.spec().layers().stream().allMatch(l -> form.says(l.attention())));
        ReferenceModel reference = ReferenceModel.read(source.path());
        Path genai = ClassicFolders.genai(source, form, Matrices.FLOATS, temp.resolve("genai"));
        try (OnnxModelRunner runner = open(ModelFolder.open(genai))) {
            assertThat(runner.shape().innerSize()).isEqualTo(source.shape().innerSize());
            assertThat(alone(runner, reference, new Random(1))).isLessThan(FP32_TOLERANCE);
            assertThat(together(runner, reference, new Random(2))).isLessThan(FP32_TOLERANCE);
        }
    }

    private OnnxModelRunner open(ModelFolder folder) {
        Precision precision = folder.precision(Optional.empty());
        Variant variant = new ModelStore(temp.resolve("store"))
                .build(folder, precision, BuildOptions.defaults(), BuildProgress.NONE);
        return OnnxModelRunner.open(
                variant.folder(), variant.shape(), new RunnerConfig(2, KvType.FP32, BLOCK_SIZE, BLOCKS, 256, 256));
    }
}
