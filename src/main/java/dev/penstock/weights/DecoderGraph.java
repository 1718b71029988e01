package dev.penstock.weights;

import static dev.penstock.weights.OnnxGraph.ABSENT;
import static dev.penstock.weights.OnnxGraph.MICROSOFT;
import static dev.penstock.weights.OnnxGraph.ONNX;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.penstock.model.DecoderShape;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.onnx.GraphContract;
import dev.penstock.weights.DecoderSpec.LayerTensors;
import dev.penstock.weights.InitializerTable.Part;
import dev.penstock.weights.MatrixFormat.Matrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The graph of a decoder, by {@link GraphContract}: T tokens go in packed, logits of R wanted rows come out.
 *
 * <p>A layer is norm, packed query-key-value matrix, attention, output matrix, then norm, gate and up, down. Each norm
 * but the first is fused with the residual add before it; its fourth output carries the sum on. In the last layer only
 * the wanted rows go on after attention: its output matrix, MLP and the head work on R rows, not T, which in a prompt
 * saves most of a layer.
 *
 * <p>Matrices are stored as the {@link MatrixFormat} of the precision has them. The head has 8 bits in every quantised
 * variant, since its errors go straight into the logits, and the embedding table too, so that a tied one is stored once.
 */
final class DecoderGraph {
    private static final int TABLE_BITS = 8;

    private static final String TOKENS = "tokens";
    private static final String ROWS = "rows";

    private final DecoderSpec spec;
    private final DecoderShape shape;
    private final Precision precision;
    /** Format of the layers' matrices. */
    private final MatrixFormat layerFormat;
    /** Format of those among them that suffer most from rounding: query-key-value and down (decision 9). */
    private final MatrixFormat sensitiveFormat;
    /** Format of embedding table and head. */
    private final MatrixFormat tableFormat;

    private final InitializerTable constants;
    private final OnnxGraph graph = new OnnxGraph();
    private final float epsilon;

    /**
     * Lays out the graph and its constants; no weight is read yet.
     *
     * @param spec what to build; its context length is the number of positions that the rotary tables have
     * @param layout of quantised matrices
     * @param dataFile name of the external data file
     */
    DecoderGraph(DecoderSpec spec, Precision precision, WeightLayout layout, String dataFile) {
        this.spec = spec;
        this.shape = spec.shape();
        this.precision = precision;
        this.layerFormat = switch (precision) {
            case FP32 -> new FloatFormat();
            case INT8 -> MatrixFormat.quantized(layout, 8);
            case INT4, MIXED -> MatrixFormat.quantized(layout, 4);
        };
        this.sensitiveFormat = precision == Precision.MIXED ? MatrixFormat.quantized(layout, 8) : layerFormat;
        this.tableFormat = precision == Precision.FP32 ? layerFormat : MatrixFormat.quantized(layout, TABLE_BITS);
        this.constants = new InitializerTable(dataFile);
        this.epsilon = (float) spec.normEpsilon();
        layOut();
    }

    /** The model's dimensions. */
    DecoderShape shape() {
        return shape;
    }

    /** How its weights are stored. */
    Precision precision() {
        return precision;
    }

    /** The constants, which must be written before {@link #model} is called. */
    InitializerTable constants() {
        return constants;
    }

    /** The graph for a type of KV cache. */
    ModelProto model(KvType kvType) {
        List<ValueInfoProto> inputs = new ArrayList<>();
        inputs.add(OnnxGraph.value(GraphContract.INPUT_IDS, DataType.INT64, TOKENS));
        inputs.add(OnnxGraph.value(GraphContract.LOGIT_ROWS, DataType.INT64, ROWS));
        inputs.add(OnnxGraph.value(GraphContract.SEQUENCE_STARTS, DataType.INT32, "sequences_and_end"));
        inputs.add(OnnxGraph.value(GraphContract.PAST_LENGTHS, DataType.INT32, "sequences"));
        inputs.add(OnnxGraph.value(GraphContract.BLOCK_TABLE, DataType.INT32, "sequences", "blocks_per_sequence"));
        DataType cacheType = switch (kvType) {
            case FP32 -> DataType.FLOAT;
            case FP16 -> DataType.FLOAT16;
            case INT8 -> DataType.INT8;
        };
        for (int l = 0; l < shape.layers(); l++) {
            for (String cache : List.of(GraphContract.keyCache(l), GraphContract.valueCache(l))) {
                inputs.add(OnnxGraph.value(
                        cache,
                        cacheType,
                        "blocks",
                        "block_size",
                        shape.kvHeads(),
                        kvType.headNumbers(shape.headSize())));
            }
        }
        ValueInfoProto logits = OnnxGraph.value(GraphContract.LOGITS, DataType.FLOAT, ROWS, shape.vocabSize());
        return graph.model(constants.protos(), inputs, List.of(logits));
    }

    private void layOut() {
        rotaryTables();
        Matrix embedding = single(spec.embedding(), shape.vocabSize(), shape.hiddenSize());
        String residual = tableFormat.lookUp(graph, constants, GraphContract.INPUT_IDS, "embedding", embedding);
        String x = graph.node(
                ONNX,
                "SimplifiedLayerNormalization",
                "layers.0.attention_norm",
                List.of(residual, constants.vector(spec.layers().getFirst().attentionNorm(), shape.hiddenSize())),
                Map.of("axis", -1, "epsilon", epsilon));
        for (int l = 0; l < shape.layers(); l++) {
            LayerTensors names = spec.layers().get(l);
            boolean last = l == shape.layers() - 1;
            String prefix = "layers." + l + ".";
            String attention = attention(x, l, names);
            if (last) {
                attention = wantedRows(attention);
                residual = wantedRows(residual);
            }
            String output = layerFormat.multiply(
                    graph,
                    constants,
                    attention,
                    prefix + "output",
                    single(names.output(), shape.hiddenSize(), attentionWidth()));
            SkipNorm mlpNorm = skipNorm(residual, output, prefix + "mlp_norm", names.mlpNorm(), true);
            String mlp = mlp(mlpNorm.normed(), prefix, names);
            SkipNorm next = last
                    ? skipNorm(mlpNorm.sum(), mlp, "final_norm", spec.finalNorm(), false)
                    : skipNorm(
                            mlpNorm.sum(),
                            mlp,
                            "layers." + (l + 1) + ".attention_norm",
                            spec.layers().get(l + 1).attentionNorm(),
                            true);
            x = next.normed();
            residual = next.sum();
        }
        Matrix head = spec.tiedHead() ? embedding : single(spec.head(), shape.vocabSize(), shape.hiddenSize());
        tableFormat.multiply(graph, constants, x, GraphContract.LOGITS, head);
    }

    private String attention(String x, int layer, LayerTensors names) {
        int kvWidth = shape.kvHeads() * shape.headSize();
        Matrix weight = new Matrix(
                "layers." + layer + ".query_key_value.weight",
                List.of(
                        part(names.query(), attentionWidth(), shape.hiddenSize()),
                        part(names.key(), kvWidth, shape.hiddenSize()),
                        part(names.value(), kvWidth, shape.hiddenSize())),
                shape.hiddenSize());
        String packed = sensitiveFormat.multiply(graph, constants, x, "layers." + layer + ".query_key_value", weight);
        return graph.node(
                GraphContract.DOMAIN,
                GraphContract.ATTENTION,
                GraphContract.attentionNode(layer),
                List.of(
                        packed,
                        ABSENT,
                        ABSENT,
                        GraphContract.keyCache(layer),
                        GraphContract.valueCache(layer),
                        GraphContract.SEQUENCE_STARTS,
                        GraphContract.PAST_LENGTHS,
                        GraphContract.BLOCK_TABLE,
                        "rotary.cos",
                        "rotary.sin"),
                Map.of(
                        GraphContract.ATTR_HEADS,
                        shape.heads(),
                        GraphContract.ATTR_KV_HEADS,
                        shape.kvHeads(),
                        GraphContract.ATTR_SCALE,
                        (float) (1 / Math.sqrt(shape.headSize())),
                        GraphContract.ATTR_DO_ROTARY,
                        1,
                        GraphContract.ATTR_INTERLEAVED,
                        0));
    }

    private String mlp(String x, String prefix, LayerTensors names) {
        int width = shape.innerSize();
        String gate = layerFormat.multiply(
                graph, constants, x, prefix + "gate", single(names.gate(), width, shape.hiddenSize()));
        String up =
                layerFormat.multiply(graph, constants, x, prefix + "up", single(names.up(), width, shape.hiddenSize()));
        // x * sigmoid(alpha * x) with alpha 1 is SiLU.
        String activated =
                graph.node(MICROSOFT, "QuickGelu", prefix + "activation", List.of(gate), Map.of("alpha", 1f));
        String gated = graph.node(ONNX, "Mul", prefix + "gated", List.of(activated, up), Map.of());
        return sensitiveFormat.multiply(
                graph, constants, gated, prefix + "down", single(names.down(), shape.hiddenSize(), width));
    }

    /** What the fused add and norm give: the norm of the sum, and the sum. */
    private record SkipNorm(String normed, String sum) {}

    private SkipNorm skipNorm(String residual, String x, String name, String weight, boolean sumWanted) {
        String sum = name + ".sum";
        graph.node(
                MICROSOFT,
                "SkipSimplifiedLayerNormalization",
                name,
                List.of(residual, x, constants.vector(weight, shape.hiddenSize())),
                sumWanted ? List.of(name, ABSENT, ABSENT, sum) : List.of(name),
                Map.of("epsilon", epsilon));
        return new SkipNorm(name, sum);
    }

    private String wantedRows(String x) {
        return graph.node(ONNX, "Gather", x + ".wanted", List.of(x, GraphContract.LOGIT_ROWS), Map.of("axis", 0));
    }

    private static Part part(String tensor, int rows, int columns) {
        return new Part.Matrix(tensor, rows, columns);
    }

    /** One tensor, under its own name. */
    private static Matrix single(String tensor, int rows, int columns) {
        return new Matrix(tensor, List.of(part(tensor, rows, columns)), columns);
    }

    /** Tables of the rotary embedding, [contextLength, headSize / 2] each. */
    private void rotaryTables() {
        double[] frequencies = spec.rotary().frequencies(shape.headSize());
        constants.computed("rotary.cos", shape.contextLength(), frequencies.length, position -> {
            float[] row = new float[frequencies.length];
            for (int i = 0; i < row.length; i++) {
                row[i] = (float) Math.cos(position * frequencies[i]);
            }
            return row;
        });
        constants.computed("rotary.sin", shape.contextLength(), frequencies.length, position -> {
            float[] row = new float[frequencies.length];
            for (int i = 0; i < row.length; i++) {
                row[i] = (float) Math.sin(position * frequencies[i]);
            }
            return row;
        });
    }

    private int attentionWidth() {
        return shape.heads() * shape.headSize();
    }
}
