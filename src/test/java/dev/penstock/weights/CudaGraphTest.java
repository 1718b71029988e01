package dev.penstock.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.penstock.engine.OnnxModelRunner;
import dev.penstock.engine.RunnerConfig;
import dev.penstock.model.Device;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.onnx.GraphContract;
import dev.penstock.onnx.OnnxException;
import dev.penstock.onnx.OnnxSession;
import dev.penstock.onnx.SessionConfig;
import dev.penstock.weights.PackedRuns.Chunk;
import dev.penstock.weights.PackedRuns.Sequence;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Graphs for CUDA, as far as they can be proved without a GPU: their numbers against {@link ReferenceModel}, on the CPU with our
 * attention in the place of CUDA's, and the types and shapes of all their nodes by ONNX Runtime's own schemas.
 */
class CudaGraphTest {
    private static final BuildOptions OPTIONS = new BuildOptions(2, 4096, WeightLayout.CUDA);

    /**
     * A 16-bit float has 11 bits, so that a number is off by up to 0.05 % after each node, and ONNX Runtime's CPU provider also
     * adds products up in 16 bits. Logits of the tiny models, of magnitude up to 7, are off by 0.02 to 0.08.
     */
    private static final double FP16_TOLERANCE = 0.15;

    @TempDir
    Path temp;

    /** All but those whose experts have GELU. */
    static Stream<TinyModel> models() {
        return DecoderGraphTest.models().filter(t -> !t.toString().startsWith("grok"));
    }

    static Stream<TinyModel> denseModels() {
        return models().filter(t -> !t.sparse());
    }

    @ParameterizedTest
    @MethodSource("denseModels")
    void logitsOfFp16AreThoseOfTheReference(TinyModel tiny) {
        Path folder = tiny.write(temp.resolve("model"));
        ReferenceModel reference = ReferenceModel.read(folder);
        Random random = new Random(tiny.seed());
        try (OnnxModelRunner runner = openOnCpu(build(folder, Precision.FP16), folder)) {
            Sequence whole = new Sequence(reference, PackedRuns.tokens(random, 60, tiny.vocab()), 0);
            assertThat(PackedRuns.greatestDifference(runner, new Chunk(whole, 60)))
                    .isLessThan(FP16_TOLERANCE);
            Sequence decoded = new Sequence(reference, PackedRuns.tokens(random, 30, tiny.vocab()), 8);
            for (int count : new int[] {20, 1, 8, 1}) {
                assertThat(PackedRuns.greatestDifference(runner, new Chunk(decoded, count)))
                        .isLessThan(FP16_TOLERANCE);
            }
        }
    }

    /** Mean divergence in nats; what was seen is at most half of it. A token that goes to another expert makes another answer. */
    @ParameterizedTest
    @MethodSource("models")
    void predictionsOfFp16AreThoseOfTheReference(TinyModel tiny) {
        Path folder = tiny.write(temp.resolve("model"));
        ReferenceModel reference = ReferenceModel.read(folder);
        try (OnnxModelRunner runner = openOnCpu(build(folder, Precision.FP16), folder)) {
            assertThat(divergence(runner, reference, tiny.vocab())).isLessThan(tiny.sparse() ? 0.005 : 1e-4);
        }
    }

    /** Bounds as for the CPU's layouts: what rounding to codes costs, beside which 16-bit floats cost nothing. */
    @ParameterizedTest
    @MethodSource("denseModels")
    void quantisedLogitsStayNear(TinyModel tiny) {
        Path folder = tiny.write(temp.resolve("model"));
        ReferenceModel reference = ReferenceModel.read(folder);
        for (Precision precision : List.of(Precision.INT8, Precision.INT4)) {
            try (OnnxModelRunner runner = openOnCpu(build(folder, precision), folder)) {
                double bound = precision == Precision.INT8 ? tiny.tied() ? 0.004 : 0.0015 : tiny.tied() ? 0.3 : 0.1;
                assertThat(divergence(runner, reference, tiny.vocab())).isLessThan(bound);
            }
        }
    }

    @Test
    void aResidualBeyond16BitFloatsIsKeptIn32WhereFamiliesNeedThat() {
        TinyFamilies.Folder gemma2 = (TinyFamilies.Folder)
                models().filter(t -> t.toString().equals("gemma2, logits capped, untied, no window"))
                        .findFirst()
                        .orElseThrow();
        Map<String, TinyModels.Tensor> tensors = new HashMap<>(gemma2.tensors());
        tensors.computeIfPresent("model.embed_tokens.weight", (_, table) -> times(table, 5000));
        Path folder = new TinyFamilies.Folder("large", gemma2.config(), tensors, gemma2.vocab(), false, 1)
                .write(temp.resolve("model"));
        ReferenceModel reference = ReferenceModel.read(folder);
        try (OnnxModelRunner runner = openOnCpu(build(folder, Precision.FP16), folder)) {
            Sequence s = new Sequence(reference, PackedRuns.tokens(new Random(1), 40, gemma2.vocab()), 0);
            assertThat(PackedRuns.greatestDifference(runner, new Chunk(s, 40))).isLessThan(FP16_TOLERANCE);
        }
    }

    private static TinyModels.Tensor times(TinyModels.Tensor tensor, float factor) {
        float[] values = tensor.values().clone();
        for (int i = 0; i < values.length; i++) {
            values[i] *= factor;
        }
        return new TinyModels.Tensor(values, tensor.shape());
    }

    /**
     * Types and shapes are inferred first. The CPU has no kernel for this one operator; ONNX Runtime then looks for one in 32
     * bits by a cast of its own, and that cast is the first thing that the operator's schema objects to.
     */
    @ParameterizedTest
    @MethodSource("models")
    void onnxRuntimeObjectsToNothingButThatTheCpuHasNoPagedAttention(TinyModel tiny) {
        Path folder = tiny.write(temp.resolve("model"));
        Path graph = build(folder, Precision.FP16).resolve(GraphContract.graphFile(KvType.FP16));
        assertThatThrownBy(() -> OnnxSession.open(graph, SessionConfig.ofThreads(1)))
                .isInstanceOf(OnnxException.class)
                .hasMessageContaining("(InsertedPrecisionFreeCast_")
                .hasMessageContaining("(PagedAttention) in node (layers.0.attention)");
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(
                Arguments.of("a table of whole numbers", change(n -> n.setInput(9, n.getInput(5))), "Type Error"),
                Arguments.of("bounds in 16 bits", change(n -> n.setInput(16, n.getInput(8))), "Type Error"),
                Arguments.of("no heads", change(n -> n.removeAttribute(1)), "kv_num_heads"),
                Arguments.of("an input too many", change(n -> n.addInput(n.getInput(5))), "PagedAttention"));
    }

    private static UnaryOperator<NodeProto> change(Consumer<NodeProto.Builder> change) {
        return node -> {
            NodeProto.Builder builder = node.toBuilder();
            change.accept(builder);
            return builder.build();
        };
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("mistakes")
    void aMistakeInANodeWouldBeFoundBefore(String name, UnaryOperator<NodeProto> mistake, String message) {
        Path folder = TinyModels.mha().write(temp.resolve("model"));
        Path graph = build(folder, Precision.FP16).resolve(GraphContract.graphFile(KvType.FP16));
        rewriteAttention(graph, mistake);
        assertThatThrownBy(() -> OnnxSession.open(graph, SessionConfig.ofThreads(1)))
                .isInstanceOf(OnnxException.class)
                .hasMessageContaining(message)
                .hasMessageNotContaining("InsertedPrecisionFreeCast_");
    }

    @ParameterizedTest
    @CsvSource({
        "gqa, FP16, heads of 8 numbers",
        "'phi3, half of each head, tied', FP16, heads of which 8 numbers turn",
        "mixtral, INT4, experts in int4",
        "grok-1, FP16, experts with GELU"
    })
    void whatCudasOperatorsCannotDoIsRefusedBeforeAnythingIsBuilt(String name, Precision precision, String what) {
        ModelFolder folder = ModelFolder.open(DecoderGraphTest.models()
                .filter(t -> t.toString().equals(name))
                .findFirst()
                .orElseThrow()
                .write(temp.resolve("model")));
        ModelStore store = new ModelStore(temp.resolve("store"));
        assertThatThrownBy(() -> store.build(folder, precision, OPTIONS, BuildProgress.NONE))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining(what)
                .hasMessageContaining("device=cpu");
        assertThat(store.root().resolve("variants")).doesNotExist();
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FP32")
    void aVariantIsFoundAgainWithOneGraphAndTheBytesThatWereForeseen(Precision precision) throws IOException {
        HuggingFaceFolder folder = HuggingFaceFolder.read(TinyModels.mha().write(temp.resolve("model")));
        ModelStore store = new ModelStore(temp.resolve("store"));
        Variant built = store.build(folder, precision, OPTIONS, BuildProgress.NONE);
        assertThat(built.graph(KvType.FP16)).isRegularFile();
        assertThat(built.graph(KvType.FP32)).doesNotExist();
        Path data = built.folder().resolve(VariantFolder.DATA_FILE);
        assertThat(Files.size(data)).isEqualTo(ModelStore.weightBytes(folder, precision, OPTIONS));
        FileTime written = Files.getLastModifiedTime(data);
        assertThat(store.build(folder, precision, OPTIONS, BuildProgress.NONE)).isEqualTo(built);
        assertThat(Files.getLastModifiedTime(data)).isEqualTo(written);
    }

    @Test
    void precisionsAreRefusedOnTheDeviceThatHasNoneOfThem() {
        ModelFolder folder = ModelFolder.open(TinyModels.mha().write(temp.resolve("model")));
        ModelStore store = new ModelStore(temp.resolve("store"));
        assertThatThrownBy(() -> store.build(folder, Precision.FP32, OPTIONS, BuildProgress.NONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("on CUDA devices take fp16");
        BuildOptions cpu = OPTIONS.withLayout(WeightLayout.of(Device.CPU));
        assertThatThrownBy(() -> store.build(folder, Precision.FP16, cpu, BuildProgress.NONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("on the CPU take int8 or int4");
    }

    @Test
    void weightsThatDoNotFitInto16BitsAreRefusedByName() {
        TinyFamilies.Folder mistral = (TinyFamilies.Folder)
                models().filter(t -> t.toString().equals("mistral")).findFirst().orElseThrow();
        Map<String, TinyModels.Tensor> tensors = new HashMap<>(mistral.tensors());
        tensors.computeIfPresent("model.layers.1.mlp.down_proj.weight", (_, down) -> times(down, 1e7f));
        Path folder = new TinyFamilies.Folder("large", mistral.config(), tensors, mistral.vocab(), false, 1)
                .write(temp.resolve("model"));
        assertThatThrownBy(() -> build(folder, Precision.FP16))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("model.layers.1.mlp.down_proj.weight")
                .hasMessageContaining("is no 16-bit float");
    }

    private Path build(Path folder, Precision precision) {
        HuggingFaceFolder model = HuggingFaceFolder.read(folder);
        DecoderGraph graph = new DecoderGraph(model.spec(), precision, WeightLayout.CUDA, VariantFolder.DATA_FILE);
        try (WeightSource weights = model.openWeights()) {
            Path built = Files.createDirectory(temp.resolve(precision.label()));
            VariantFolder.write(built, StoreFiles.SYSTEM, "id", graph, weights, OPTIONS, BuildProgress.NONE);
            return built;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Opens a variant on the CPU, with our attention, which computes in 32 bits; nothing else of its graph is changed. */
    private static OnnxModelRunner openOnCpu(Path variant, Path folder) {
        rewrite(variant.resolve(GraphContract.graphFile(KvType.FP16)), CudaGraphTest::addOurs);
        return OnnxModelRunner.open(
                variant,
                ModelFolder.open(folder).shape(),
                new RunnerConfig(2, KvType.FP16, PackedRuns.BLOCK_SIZE, PackedRuns.BLOCKS, 256, 256));
    }

    private static double divergence(OnnxModelRunner runner, ReferenceModel reference, int vocab) {
        Sequence s = new Sequence(reference, PackedRuns.tokens(new Random(7), 64, vocab), 16);
        List<double[]> rows = PackedRuns.run(
                runner, List.of(new Chunk(s, 64)), LongStream.range(0, 64).toArray());
        double sum = 0;
        for (int t = 0; t < 64; t++) {
            sum += DecoderGraphTest.divergence(s.expected[t], rows.get(t));
        }
        return sum / 64;
    }

    private static void rewriteAttention(Path file, UnaryOperator<NodeProto> change) {
        rewrite(file, (node, graph) -> graph.addNode(change.apply(node)));
    }

    /** Gives each attention node of a graph to {@code add}, which adds others in its place. */
    private static void rewrite(Path file, BiConsumer<NodeProto, GraphProto.Builder> add) {
        try {
            ModelProto model = ModelProto.parseFrom(Files.readAllBytes(file));
            GraphProto.Builder graph = model.getGraph().toBuilder().clearNode();
            for (NodeProto node : model.getGraph().getNodeList()) {
                if (!node.getOpType().equals(GraphContract.ATTENTION)) {
                    graph.addNode(node);
                } else {
                    add.accept(node, graph);
                }
            }
            Files.write(file, model.toBuilder().setGraph(graph).build().toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void addOurs(NodeProto node, GraphProto.Builder graph) {
        String name = node.getName() + ".ours";
        NodeProto.Builder ours = node.toBuilder()
                .setDomain(GraphContract.DOMAIN)
                .setName(name)
                .setOutput(0, name)
                .clearInput();
        for (int i = 0; i < 10; i++) {
            String input = node.getInput(i);
            boolean numbers = i < 3 || i > 7; // neither caches nor places
            if (numbers && !input.isEmpty()) {
                graph.addNode(cast(input, name + "." + i, DataType.FLOAT));
                input = name + "." + i;
            }
            ours.addInput(input);
        }
        graph.addNode(ours).addNode(cast(name, node.getOutput(0), DataType.FLOAT16));
    }

    private static NodeProto cast(String from, String to, DataType type) {
        return NodeProto.newBuilder()
                .setOpType("Cast")
                .setName(to)
                .addInput(from)
                .addOutput(to)
                .addAttribute(AttributeProto.newBuilder()
                        .setName("to")
                        .setType(AttributeProto.AttributeType.INT)
                        .setI(type.getNumber()))
                .build();
    }
}
