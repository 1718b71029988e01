package dev.penstock.weights;

import static dev.penstock.weights.PackedRuns.BLOCKS;
import static dev.penstock.weights.PackedRuns.BLOCK_SIZE;
import static dev.penstock.weights.PackedRuns.FP32_TOLERANCE;
import static dev.penstock.weights.PackedRuns.alone;
import static dev.penstock.weights.PackedRuns.together;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.engine.OnnxModelRunner;
import dev.penstock.engine.RunnerConfig;
import dev.penstock.model.Device;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.weights.ClassicAttention.Form;
import dev.penstock.weights.ClassicDecoder.Matrices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
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
        return open(folder, folder.precision(Optional.empty(), Device.CPU));
    }

    private Variant build(ModelFolder folder, Precision precision) {
        return new ModelStore(temp.resolve("store"))
                .build(folder, precision, BuildOptions.defaults(), BuildProgress.NONE);
    }

    private OnnxModelRunner open(ModelFolder folder, Precision precision) {
        return open(build(folder, precision));
    }

    /** Built for a context that is shorter than the model's. */
    private OnnxModelRunner open(ModelFolder folder, int contextLimit) {
        BuildOptions options = new BuildOptions(2, contextLimit, WeightLayout.STANDARD);
        return open(new ModelStore(temp.resolve("store")).build(folder, Precision.FP32, options, BuildProgress.NONE));
    }

    private static OnnxModelRunner open(Variant variant) {
        return OnnxModelRunner.open(
                variant.folder(), variant.shape(), new RunnerConfig(2, KvType.FP32, BLOCK_SIZE, BLOCKS, 256, 256));
    }

    @Test
    void matricesOfCodesAreComputedAsTheGraphHasThem() {
        HuggingFaceFolder source = HuggingFaceFolder.read(TinyModels.gqa().write(temp.resolve("model")));
        Path genai =
                ClassicFolders.genai(source, Form.GROUP_QUERY_ROTARY_NODES, Matrices.NIBBLES, temp.resolve("genai"));
        ModelFolder folder = ModelFolder.open(genai);
        int[] tokens = PackedRuns.tokens(new Random(5), 40, source.shape().vocabSize());
        double[][] expected = ClassicRun.logits(genai.resolve("model.onnx"), source.shape(), tokens);

        assertThat(folder.precisions(Device.CPU)).containsExactly(Precision.INT4);
        try (OnnxModelRunner runner = open(folder)) {
            PackedRuns.Sequence sequence = new PackedRuns.Sequence(tokens, expected, 0);
            for (int count : new int[] {20, 1, 3, 16}) {
                assertThat(PackedRuns.greatestDifference(runner, new PackedRuns.Chunk(sequence, count)))
                        .isLessThan(FP32_TOLERANCE);
            }
        }
    }

    @Test
    void theOriginalGraphsAreThoseOfTheReference() {
        HuggingFaceFolder source = HuggingFaceFolder.read(TinyModels.gqa().write(temp.resolve("model")));
        ReferenceModel reference = ReferenceModel.read(source.path());
        int[] tokens = PackedRuns.tokens(new Random(6), 30, source.shape().vocabSize());
        double[][] expected = reference.logits(tokens);
        for (Form form : List.of(Form.GROUP_QUERY_ROTARY_NODES, Form.MULTI_HEAD, Form.STANDARD, Form.DECOMPOSED)) {
            Path genai = ClassicFolders.genai(source, form, Matrices.FLOATS, temp.resolve(form.name()));
            double[][] found = ClassicRun.logits(genai.resolve("model.onnx"), source.shape(), tokens);
            for (int t = 0; t < tokens.length; t++) {
                assertThat(PackedRuns.difference(found[t], expected[t])).isLessThan(FP32_TOLERANCE);
            }
        }
    }

    /** The original chooses anew in each run; a variant has one choice, by the context that it is built for. */
    @ParameterizedTest
    @EnumSource(names = {"GROUP_QUERY_PACKED", "GROUP_QUERY_ROTARY_NODES"})
    void tablesOfLongRopeAreChosenByTheContextThatIsBuilt(Form form) {
        int original = 80;
        HuggingFaceFolder source = HuggingFaceFolder.read(
                TinyFamilies.longPhi3("phi3", 256, original).build().write(temp.resolve("model")));
        ReferenceModel longer = ReferenceModel.read(source.path());
        ReferenceModel shorter = ReferenceModel.read(TinyFamilies.longPhi3WithShortFactors("phi3", 256, original)
                .build()
                .write(temp.resolve("short")));
        Path genai = ClassicFolders.genai(source, form, Matrices.FLOATS, temp.resolve("genai"));
        int[] tokens = PackedRuns.tokens(new Random(7), 120, source.shape().vocabSize());
        int[] first = Arrays.copyOf(tokens, original);

        assertThat(greatestDifference(
                        ClassicRun.logits(genai.resolve("model.onnx"), source.shape(), tokens), longer, tokens))
                .isLessThan(FP32_TOLERANCE);
        assertThat(greatestDifference(
                        ClassicRun.logits(genai.resolve("model.onnx"), source.shape(), first), shorter, first))
                .isLessThan(FP32_TOLERANCE);
        assertThat(PackedRuns.difference(longer.logits(first)[original - 1], shorter.logits(first)[original - 1]))
                .isGreaterThan(100 * FP32_TOLERANCE);
        try (OnnxModelRunner runner = open(ModelFolder.open(genai), original)) {
            assertThat(runner.shape().contextLength()).isEqualTo(original);
            assertThat(alone(runner, shorter, new Random(1))).isLessThan(FP32_TOLERANCE);
            assertThat(PackedRuns.greatestDifference(runner, whole(shorter, first)))
                    .isLessThan(FP32_TOLERANCE);
        }
        for (int context : new int[] {original + 1, 256}) {
            try (OnnxModelRunner runner = open(ModelFolder.open(genai), context)) {
                assertThat(runner.shape().contextLength()).isEqualTo(context);
                assertThat(alone(runner, longer, new Random(1))).isLessThan(FP32_TOLERANCE);
                int[] most = Arrays.copyOf(tokens, Math.min(context, tokens.length));
                assertThat(PackedRuns.greatestDifference(runner, whole(longer, most)))
                        .isLessThan(FP32_TOLERANCE);
            }
        }
    }

    private static PackedRuns.Chunk whole(ReferenceModel reference, int[] tokens) {
        return new PackedRuns.Chunk(new PackedRuns.Sequence(reference, tokens, 24), tokens.length);
    }

    private static double greatestDifference(double[][] found, ReferenceModel reference, int[] tokens) {
        double[][] expected = reference.logits(tokens);
        return IntStream.range(0, tokens.length)
                .mapToDouble(t -> PackedRuns.difference(found[t], expected[t]))
                .max()
                .orElseThrow();
    }

    @Test
    void aFolderOfSeveralGraphsIsServedAtThePrecisionsThatItHas() {
        TinyModel tiny = TinyModels.gqa();
        HuggingFaceFolder source = HuggingFaceFolder.read(tiny.write(temp.resolve("model")));
        Path optimum = ClassicFolders.optimum(source, temp.resolve("optimum"));
        Path onnx = optimum.resolve("onnx");
        // One with its weights in the graph file itself, one with a file beside it, one in 16 bits.
        ClassicDecoder.write(source, Form.DECOMPOSED, Matrices.FLOATS, onnx.resolve("model.onnx"), "");
        ClassicDecoder.write(
                source, Form.DECOMPOSED, Matrices.NIBBLES, onnx.resolve("model_q4.onnx"), "model_q4.onnx_data");
        ClassicDecoder.write(source, Form.DECOMPOSED, Matrices.FLOATS, onnx.resolve("model_fp16.onnx"), "");
        ModelFolder folder = ModelFolder.open(optimum);

        assertThat(folder.precisions(Device.CPU)).containsExactly(Precision.FP32, Precision.INT4);
        assertThat(folder.precision(Optional.empty(), Device.CPU)).isEqualTo(Precision.INT4);
        assertThatThrownBy(() -> folder.precision(Optional.of(Precision.INT8), Device.CPU))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("int8")
                .hasMessageContaining("fp32 (onnx/model.onnx), int4 (onnx/model_q4.onnx)");
        try (OnnxModelRunner runner = open(folder, Precision.FP32)) {
            assertThat(alone(runner, ReferenceModel.read(source.path()), new Random(1)))
                    .isLessThan(FP32_TOLERANCE);
        }
        open(folder, Precision.INT4).close();
    }

    @Test
    void aGpuIsRefusedForGraphsOfOthers() {
        HuggingFaceFolder source = HuggingFaceFolder.read(TinyModels.gqa().write(temp.resolve("model")));
        ModelFolder folder = ModelFolder.open(
                ClassicFolders.genai(source, Form.GROUP_QUERY, Matrices.FLOATS, temp.resolve("genai")));
        Device cuda = new Device.Cuda(0);
        ModelStore store = new ModelStore(temp.resolve("store"));

        assertThat(folder.precisions(cuda)).isEmpty();
        assertThatThrownBy(() -> folder.precision(Optional.empty(), cuda))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining(folder.path().toString())
                .hasMessageContaining("take device=cpu");
        assertThatThrownBy(() -> store.build(folder, Precision.FP32, BuildOptions.on(cuda), BuildProgress.NONE))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("take device=cpu");
    }

    @Test
    void theStoreHoldsTheGraphAloneAndNoticesOtherWeights() throws IOException {
        HuggingFaceFolder source = HuggingFaceFolder.read(TinyModels.gqa().write(temp.resolve("model")));
        Path genai = ClassicFolders.genai(source, Form.GROUP_QUERY, Matrices.FLOATS, temp.resolve("genai"));
        Variant variant = build(ModelFolder.open(genai), Precision.FP32);
        Path data = genai.resolve("model.onnx.data");

        assertThat(variant.weightBytes()).isEqualTo(Files.size(data));
        assertThat(build(ModelFolder.open(genai), Precision.FP32)).isEqualTo(variant);
        try (Stream<Path> files = Files.walk(variant.folder())) {
            assertThat(files.filter(Files::isRegularFile)
                            .mapToLong(f -> f.toFile().length())
                            .sum())
                    .isLessThan(Files.size(data) / 2);
        }
        byte[] bytes = Files.readAllBytes(data);
        bytes[4000] ^= 1;
        Files.write(data, bytes);
        assertThat(build(ModelFolder.open(genai), Precision.FP32).id()).isNotEqualTo(variant.id());
    }

    @Test
    void textComesWithGenaiFolders() {
        HuggingFaceFolder source = HuggingFaceFolder.read(TinyModels.gqa().write(temp.resolve("model")));
        Path genai = ClassicFolders.genai(source, Form.GROUP_QUERY, Matrices.FLOATS, temp.resolve("genai"));
        ModelFolder folder = ModelFolder.open(genai);

        assertThat(folder.generation().eosTokens()).containsExactly(2, 7);
        assertThat(folder.generation().bosTokens()).containsExactly(1);
        assertThat(folder.generation().doSample()).contains(false);
        assertThat(folder.shape().contextLength()).isEqualTo(source.shape().contextLength());
    }
}
