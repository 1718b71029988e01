package dev.penstock.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.CodedOutputStream;
import dev.penstock.model.Precision;
import dev.penstock.weights.ClassicAttention.Form;
import dev.penstock.weights.ClassicDecoder.Matrices;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;
import org.assertj.core.api.Assertions;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders with graphs that can't be used: each is refused with what is wrong, and leaves nothing in the store. */
class OnnxFolderErrorsTest {
    @TempDir
    Path temp;

    private Path folder(Form form) {
        HuggingFaceFolder source = HuggingFaceFolder.read(TinyModels.gqa().write(temp.resolve("model")));
        return ClassicFolders.genai(source, form, Matrices.FLOATS, temp.resolve("genai"));
    }

    private Path folder() {
        return folder(Form.GROUP_QUERY);
    }

    private ThrowableAssertAlternative<ModelFolderException> refused(Path folder) {
        Path store = temp.resolve("store");
        ThrowableAssertAlternative<ModelFolderException> error = Assertions.assertThatExceptionOfType(
                        ModelFolderException.class)
                .isThrownBy(() -> new ModelStore(store)
                        .build(ModelFolder.open(folder), Precision.FP32, BuildOptions.defaults(), BuildProgress.NONE));
        assertThat(store).doesNotExist();
        return error;
    }

    private static void change(Path folder, Consumer<GraphProto.Builder> change) {
        Path file = folder.resolve("model.onnx");
        try {
            ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(file)).toBuilder();
            change.accept(model.getGraphBuilder());
            Files.write(file, model.build().toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static NodeProto.Builder attention(GraphProto.Builder graph) {
        return graph.getNodeBuilderList().stream()
                .filter(n -> n.getOpType().equals("GroupQueryAttention"))
                .findFirst()
                .orElseThrow();
    }

    private static AttributeProto.Builder attribute(NodeProto.Builder node, String name) {
        return node.getAttributeBuilderList().stream()
                .filter(a -> a.getName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static TensorProto.Builder external(GraphProto.Builder graph) {
        return graph.getInitializerBuilderList().stream()
                .filter(t -> t.getExternalDataCount() > 0 && t.getDimsCount() == 2)
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/etc/passwd", "../model/model.safetensors", "a/../../model/model.safetensors", "", ".", "a\\b"})
    void dataOutsideOfTheFolderIsNotRead(String location) {
        Path folder = folder();
        change(folder, g -> external(g).getExternalDataBuilder(0).setValue(location));

        refused(folder).withMessageContaining("folder").withMessageContaining("model.onnx: constant");
    }

    @ParameterizedTest
    @CsvSource({
        "1, 99999999, lies at",
        "1, -1, offset",
        "1, 9999999999999999999999, offset",
        "2, 4, its shape and type ask for",
        "0, model.onnx.data_1, missing"
    })
    void dataThatAreNotThereAreRefused(int entry, String value, String message) {
        Path folder = folder();
        change(folder, g -> external(g).getExternalDataBuilder(entry).setValue(value));

        refused(folder).withMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 1L << 62, 3})
    void shapesThatLieAreRefused(long dim) {
        Path folder = folder();
        change(folder, g -> external(g).setDims(0, dim));

        refused(folder).withMessageContaining("model.onnx: constant");
    }

    @ParameterizedTest
    @CsvSource({
        "num_heads, 0, expected 1 to",
        "num_heads, 3, do not divide",
        "num_heads, 4294967304, expected 1 to",
        "kv_num_heads, 8, heads",
        "local_window_size, 0, shows nothing",
        "local_window_size, -5, shows nothing",
        "smooth_softmax, 1, not supported"
    })
    void numbersThatMakeNoSenseAreRefused(String attribute, long value, String message) {
        Path folder = folder();
        change(folder, g -> {
            NodeProto.Builder node = attention(g);
            if (node.getAttributeList().stream().noneMatch(a -> a.getName().equals(attribute))) {
                node.addAttributeBuilder().setName(attribute).setType(AttributeProto.AttributeType.INT);
            }
            attribute(node, attribute).setI(value);
        });

        refused(folder)
                .withMessageContaining("node '/model/layers.0/attn/GroupQueryAttention'")
                .withMessageContaining("com.microsoft.GroupQueryAttention")
                .withMessageContaining(message);
    }

    @Test
    void factorsThatAreNoNumbersAreRefused() {
        Path folder = folder();
        change(folder, g -> attribute(attention(g), "scale").setF(Float.NaN));

        refused(folder).withMessageContaining("`scale`: expected 0 to 1e6, found NaN");
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1})
    void tablesWithoutRowsAreRefused(long rows) {
        Path folder = folder(Form.GROUP_QUERY_ROTARY_NODES);
        change(
                folder,
                g -> g.getInitializerBuilderList().stream()
                        .filter(t -> t.getName().equals("rotary_0.cos"))
                        .forEach(t -> t.setDims(0, rows)));

        refused(folder).withMessageContaining("RotaryEmbedding").withMessageContaining("'rotary_0.cos' is empty");
    }

    @Test
    void attentionThatNobodyKnowsIsNamed() {
        Path folder = folder();
        change(folder, g -> attention(g).setOpType("SparseAttention"));

        refused(folder)
                .withMessageContaining("node '/model/layers.0/attn/GroupQueryAttention'")
                .withMessageContaining("SparseAttention")
                .withMessageContaining("past_key_values.0.");
    }

    @Test
    void cachesOfHalvesAreRefusedWithAWayOut() {
        Path folder = folder();
        change(
                folder,
                g -> g.getInputBuilderList().stream()
                        .filter(i -> i.getName().startsWith("past"))
                        .forEach(i -> i.getTypeBuilder()
                                .getTensorTypeBuilder()
                                .setElemType(TensorProto.DataType.FLOAT16.getNumber())));

        refused(folder).withMessageContaining("FLOAT16").withMessageContaining("fp32");
    }

    @Test
    void aCacheThatTwoLayersShareIsRefused() {
        Path folder = folder();
        change(
                folder,
                g -> g.getNodeBuilderList().stream()
                        .filter(n -> n.getOpType().equals("GroupQueryAttention"))
                        .forEach(n -> n.setInput(3, "past_key_values.0.key")));

        refused(folder).withMessageContaining("'past_key_values.0.key' is used twice");
    }

    @Test
    void aMaskThatIsNotCausalIsNotTakenForOneThatIs() {
        Path folder = folder(Form.STANDARD);
        change(
                folder,
                g -> g.getNodeBuilderList().stream()
                        .filter(n -> n.getOpType().equals("LessOrEqual"))
                        .forEach(n -> n.setOpType("GreaterOrEqual")));

        refused(folder).withMessageContaining("Attention").withMessageContaining("not causal");
    }

    @Test
    void aMaskThatAddsOtherNumbersIsRefused() {
        Path folder = folder(Form.DECOMPOSED);
        change(
                folder,
                g -> g.getInitializerBuilderList().stream()
                        .filter(t -> t.getName().equals("/model/constants/FLOAT/0.0"))
                        .forEach(t -> t.setFloatData(0, 0.5f)));

        refused(folder).withMessageContaining("Softmax").withMessageContaining("adds 0.5 to a score");
    }

    @Test
    void aGraphWithoutAMaskIsNotCausal() {
        Path folder = folder(Form.STANDARD);
        change(
                folder,
                g -> g.getNodeBuilderList().stream()
                        .filter(n -> n.getOpType().equals("Attention"))
                        .forEach(n -> n.setInput(3, "")));

        refused(folder).withMessageContaining("not causal");
    }

    @ParameterizedTest
    @CsvSource({
        "num_hidden_layers, 99, expected 99 layers",
        "hidden_size, -1, hidden_size",
        "num_hidden_layers, 1000000000000, num_hidden_layers",
        "filename, \"../model.onnx\", filename",
        "filename, \"/etc/model.onnx\", filename",
        "filename, \"sub/model.onnx\", filename",
        "filename, \"sub/../../model.onnx\", filename",
        "filename, \"other.onnx\", missing"
    })
    void aConfigThatSaysOtherwiseIsRefused(String member, String value, String message) throws IOException {
        Path folder = folder();
        Path config = folder.resolve("genai_config.json");
        String text =
                Files.readString(config).replaceFirst("\"" + member + "\": [^,]*", "\"" + member + "\": " + value);
        Files.writeString(config, text);

        refused(folder).withMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 100, 3000})
    void aGraphThatEndsEarlyIsRefused(int length) throws IOException {
        Path folder = folder();
        Path file = folder.resolve("model.onnx");
        Files.write(file, Arrays.copyOf(Files.readAllBytes(file), length));

        refused(folder).withMessageContaining("model.onnx");
    }

    @Test
    void aGraphOfEndlessNodesIsRefusedBeforeItFillsTheMemory() throws IOException {
        Path folder = folder();
        // A field of a graph that is an empty node, two million times.
        byte[] nodes = new byte[4 << 20];
        for (int i = 0; i < nodes.length; i += 2) {
            nodes[i] = GraphProto.NODE_FIELD_NUMBER << 3 | 2;
        }
        try (var out = Files.newOutputStream(folder.resolve("model.onnx"))) {
            CodedOutputStream coded = CodedOutputStream.newInstance(out);
            coded.writeByteArray(ModelProto.GRAPH_FIELD_NUMBER, nodes);
            coded.flush();
        }

        refused(folder).withMessageContaining("bytes beside large tensors");
    }

    @Test
    void mergedDecodersAreNamed() throws IOException {
        HuggingFaceFolder source = HuggingFaceFolder.read(TinyModels.gqa().write(temp.resolve("model")));
        Path optimum = ClassicFolders.optimum(source, temp.resolve("optimum"));
        Files.createFile(optimum.resolve("onnx/decoder_model_merged.onnx"));

        refused(optimum).withMessageContaining("decoder_model_merged.onnx").withMessageContaining("model.onnx");
    }

    @Test
    void aDataFileThatGoesAwayIsMissedWhenTheVariantIsAskedFor() throws IOException {
        Path folder = folder();
        ModelFolder opened = ModelFolder.open(folder);
        Files.delete(folder.resolve("model.onnx.data"));

        assertThatThrownBy(() -> new ModelStore(temp.resolve("store"))
                        .build(opened, Precision.FP32, BuildOptions.defaults(), BuildProgress.NONE))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("missing");
        assertThat(temp.resolve("store/variants")).doesNotExist();
    }
}
