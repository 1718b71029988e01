package dev.penstock.weights;

import static dev.penstock.weights.OnnxGraph.MICROSOFT;
import static dev.penstock.weights.OnnxGraph.ONNX;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.penstock.model.DecoderShape;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.onnx.GraphSignature;
import dev.penstock.weights.EncoderSpec.Classifier;
import dev.penstock.weights.InitializerTable.Linear;
import dev.penstock.weights.InitializerTable.Part;
import dev.penstock.weights.MatrixFormat.Matrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The graph of an encoder as Optimum would export it: {@code input_ids}, {@code attention_mask} and, where there are types,
 * {@code token_type_ids}, int64 [batch, tokens], go in, {@code last_hidden_state}, float [batch, tokens, width], or
 * {@code logits}, float [batch, 1], come out. But for attention the batch's tokens are rows of one matrix.
 */
final class EncoderGraph implements BuiltGraph {
    private static final int TABLE_BITS = 8;
    private static final String IDS = "input_ids";
    private static final String MASK = "attention_mask";
    private static final String TYPES = "token_type_ids";

    private final EncoderSpec spec;
    private final DecoderShape shape;
    private final Precision precision;
    private final MatrixFormat layerFormat;
    private final MatrixFormat tableFormat;
    private final InitializerTable constants;
    private final OnnxGraph graph = new OnnxGraph();

    /** Lays out the graph and its constants; no weight is read yet. */
    EncoderGraph(EncoderSpec spec, Precision precision, WeightLayout layout, String dataFile) {
        this.spec = spec;
        this.shape = spec.shape();
        this.precision = precision;
        layerFormat = switch (precision) {
            case FP32 -> new FloatFormat();
            case FP16 -> throw new IllegalArgumentException("encoders are built for the CPU, which has no fp16");
            case INT8 -> MatrixFormat.quantized(layout, 8);
            case INT4, MIXED -> MatrixFormat.quantized(layout, 4);
        };
        tableFormat = precision == Precision.FP32 ? layerFormat : MatrixFormat.quantized(layout, TABLE_BITS);
        constants = new InitializerTable(dataFile, DataType.FLOAT);
        layOut();
    }

    @Override
    public DecoderShape shape() {
        return shape;
    }

    @Override
    public Precision precision() {
        return precision;
    }

    @Override
    public List<KvType> kvTypes() {
        return List.of(KvType.FP16);
    }

    @Override
    public InitializerTable constants() {
        return constants;
    }

    @Override
    public ModelProto model(KvType kvType) {
        List<ValueInfoProto> inputs = new ArrayList<>();
        inputs.add(GraphSignature.value(IDS, DataType.INT64, "batch", "tokens"));
        inputs.add(GraphSignature.value(MASK, DataType.INT64, "batch", "tokens"));
        if (spec.types() > 1) {
            inputs.add(GraphSignature.value(TYPES, DataType.INT64, "batch", "tokens"));
        }
        ValueInfoProto output = spec.classifier().isPresent()
                ? GraphSignature.value("logits", DataType.FLOAT, "batch", 1)
                : GraphSignature.value("last_hidden_state", DataType.FLOAT, "batch", "tokens", shape.hiddenSize());
        return graph.model(constants.protos(), inputs, List.of(output));
    }

    private void layOut() {
        String size = graph.node(ONNX, "Shape", "size", List.of(IDS), Map.of());
        // [batch, tokens, width], for attention
        String apart = graph.node(
                ONNX,
                "Concat",
                "apart",
                List.of(size, constants.integers("width", shape.hiddenSize())),
                Map.of("axis", 0));
        String seen = graph.cast(MASK, "seen", DataType.INT32);
        String x = embedding();
        for (int l = 0; l < shape.layers(); l++) {
            String name = "layers." + l + ".";
            String attended =
                    product(attention(x, l, name, apart, seen), name + "attended", l, "attention.output.dense");
            x = skipNorm(x, attended, name + "attention_norm", l, "attention.output");
            String inner = activated(
                    layerFormat.multiply(
                            graph,
                            constants,
                            x,
                            name + "inner",
                            matrix(spec.layer(l, "intermediate.dense.weight"), shape.innerSize(), shape.hiddenSize())),
                    name,
                    vector(spec.layer(l, "intermediate.dense.bias"), shape.innerSize()));
            x = skipNorm(x, product(inner, name + "outer", l, "output.dense"), name + "mlp_norm", l, "output");
        }
        if (spec.classifier().isPresent()) {
            classify(
                    graph.node(ONNX, "Reshape", "states", List.of(x, apart), Map.of()),
                    spec.classifier().get());
        } else {
            graph.node(ONNX, "Reshape", "last_hidden_state", List.of(x, apart), Map.of());
        }
    }

    /** [batch * tokens, width] */
    private String embedding() {
        int width = shape.hiddenSize();
        String rows = constants.integers("rows", -1);
        String words = tableFormat.lookUp(
                graph,
                constants,
                graph.node(ONNX, "Reshape", "tokens", List.of(IDS, rows), Map.of()),
                "words",
                matrix(spec.embedding("word_embeddings.weight"), shape.vocabSize(), width));
        String places = lookUp("places", positions(), "position_embeddings.weight", shape.contextLength(), rows);
        String kinds = spec.types() > 1
                ? lookUp("kinds", TYPES, "token_type_embeddings.weight", spec.types(), rows)
                : constants.floats(
                        spec.embedding("token_type_embeddings.weight"),
                        List.of(Part.matrix(spec.embedding("token_type_embeddings.weight"), 1, width)),
                        width);
        String placed = graph.node(ONNX, "Add", "placed", List.of(words, places), Map.of());
        String sum = graph.node(ONNX, "Add", "embedded", List.of(placed, kinds), Map.of());
        return graph.node(
                ONNX,
                "LayerNormalization",
                "embedding_norm",
                List.of(
                        sum,
                        vector(spec.embedding("LayerNorm.weight"), width),
                        vector(spec.embedding("LayerNorm.bias"), width)),
                Map.of("axis", -1, "epsilon", (float) spec.epsilon()));
    }

    private String lookUp(String name, String indices, String table, int count, String rows) {
        String tensor = spec.embedding(table);
        String weight =
                constants.floats(tensor, List.of(Part.matrix(tensor, count, shape.hiddenSize())), shape.hiddenSize());
        String flat = graph.node(ONNX, "Reshape", name + ".flat", List.of(indices, rows), Map.of());
        return graph.node(ONNX, "Gather", name, List.of(weight, flat), Map.of("axis", 0));
    }

    /** Places of the tokens, [batch, tokens]: from 0, or of those that are no padding from behind its id. */
    private String positions() {
        String axis = constants.integers("tokens_axis", 1);
        if (spec.paddingToken().isEmpty()) {
            String ones = graph.node(ONNX, "Add", "ones", List.of(zeros(), constants.integers("one", 1)), Map.of());
            return graph.node(ONNX, "CumSum", "positions", List.of(ones, axis), Map.of("exclusive", 1));
        }
        String padding = constants.integers("padding", spec.paddingToken().getAsInt());
        String padded = graph.node(ONNX, "Equal", "padded", List.of(IDS, padding), Map.of());
        String real = graph.cast(graph.node(ONNX, "Not", "real", List.of(padded), Map.of()), "counted", DataType.INT64);
        String counts = graph.node(ONNX, "CumSum", "counts", List.of(real, axis), Map.of());
        String ofReal = graph.node(ONNX, "Mul", "counts.real", List.of(counts, real), Map.of());
        return graph.node(ONNX, "Add", "positions", List.of(ofReal, padding), Map.of());
    }

    private String zeros() {
        return graph.node(ONNX, "Sub", "zeros", List.of(IDS, IDS), Map.of());
    }

    private String attention(String x, int layer, String name, String apart, String seen) {
        int width = shape.hiddenSize();
        String packed = layerFormat.multiply(
                graph,
                constants,
                x,
                name + "query_key_value",
                new Matrix(
                        name + "query_key_value.weight",
                        spec.queryKeyValue(layer, "weight").stream()
                                .map(tensor -> Part.matrix(tensor, width, width))
                                .toList(),
                        width));
        List<String> parts = List.of(name + "query", name + "key", name + "value");
        String sizes = constants.integers("attention.widths", width, width, width);
        graph.node(ONNX, "Split", name + "split", List.of(packed, sizes), parts, Map.of("axis", 1));
        List<String> inputs = new ArrayList<>();
        for (String part : parts) {
            inputs.add(graph.node(ONNX, "Reshape", part + ".apart", List.of(part, apart), Map.of()));
        }
        inputs.add(constants.vector(
                name + "query_key_value.bias",
                spec.queryKeyValue(layer, "bias").stream()
                        .map(tensor -> numbers(tensor, width))
                        .toList(),
                Linear.IDENTITY));
        inputs.add(seen);
        String attention = graph.node(
                MICROSOFT,
                "MultiHeadAttention",
                name + "attention",
                inputs,
                Map.of("num_heads", shape.heads(), "mask_filter_value", -Float.MAX_VALUE));
        return graph.node(
                ONNX,
                "Reshape",
                name + "attention.rows",
                List.of(attention, constants.integers("states.rows", -1, width)),
                Map.of());
    }

    /** A matrix back to the width of the model; its bias comes with the norm. */
    private String product(String x, String name, int layer, String part) {
        int columns = part.startsWith("attention") ? shape.hiddenSize() : shape.innerSize();
        return layerFormat.multiply(
                graph, constants, x, name, matrix(spec.layer(layer, part + ".weight"), shape.hiddenSize(), columns));
    }

    private String skipNorm(String x, String added, String name, int layer, String part) {
        int width = shape.hiddenSize();
        return graph.node(
                MICROSOFT,
                "SkipLayerNormalization",
                name,
                List.of(
                        added,
                        x,
                        vector(spec.layer(layer, part + ".LayerNorm.weight"), width),
                        vector(spec.layer(layer, part + ".LayerNorm.bias"), width),
                        vector(spec.layer(layer, part + ".dense.bias"), width)),
                Map.of("epsilon", (float) spec.epsilon()));
    }

    private String activated(String x, String name, String bias) {
        return graph.node(
                MICROSOFT, spec.tanhGelu() ? "FastGelu" : "BiasGelu", name + "activated", List.of(x, bias), Map.of());
    }

    private void classify(String states, Classifier classifier) {
        int width = shape.hiddenSize();
        // [batch, 1, width]
        String first = graph.node(
                ONNX, "Gather", "first", List.of(states, constants.integers("first.index", 0)), Map.of("axis", 1));
        String cls = graph.node(
                ONNX, "Reshape", "first.rows", List.of(first, constants.integers("states.rows", -1, width)), Map.of());
        String dense = biased(cls, "classifier.dense", classifier.dense(), width);
        String bounded = graph.node(ONNX, "Tanh", "classifier.bounded", List.of(dense), Map.of());
        biased(bounded, "logits", classifier.output(), 1);
    }

    /** In floats: it is small, and its rounding would be that of the score. */
    private String biased(String x, String name, String layer, int rows) {
        String weight = constants.floats(
                layer + ".weight",
                List.of(Part.matrix(layer + ".weight", rows, shape.hiddenSize())),
                shape.hiddenSize());
        return graph.node(ONNX, "Gemm", name, List.of(x, weight, vector(layer + ".bias", rows)), Map.of("transB", 1));
    }

    private String vector(String tensor, int size) {
        return constants.vector(tensor, List.of(numbers(tensor, size)), Linear.IDENTITY);
    }

    private static Part numbers(String tensor, int size) {
        return new Part(tensor, List.of((long) size), 0, size);
    }

    private static Matrix matrix(String tensor, int rows, int columns) {
        return new Matrix(tensor, List.of(Part.matrix(tensor, rows, columns)), columns);
    }
}
