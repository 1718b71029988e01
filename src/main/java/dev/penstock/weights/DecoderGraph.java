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
import dev.penstock.onnx.gemm.PackedLayout;
import dev.penstock.weights.DecoderSpec.LayerTensors;
import dev.penstock.weights.InitializerTable.Part;
import dev.penstock.weights.InitializerTable.Quantized;
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
 * <p>Matrices are Gemm with the transposed right side in fp32, so that they stay as the checkpoint has them, and
 * MatMulNBits or our own operator over packed weights otherwise. The head has 8 bits in every quantised variant, since its errors go straight into the logits;
 * the embedding table too, and where it is the head, both read the same bytes.
 */
final class DecoderGraph {
    private static final int HEAD_BITS = 8;

    /** MatMulNBits: activations are quantised to int8 as well, which is several times faster than floats. */
    private static final int ACCURACY_LEVEL = 4;

    private static final String TOKENS = "tokens";
    private static final String ROWS = "rows";

    private final DecoderSpec spec;
    private final DecoderShape shape;
    private final Precision precision;
    private final WeightLayout layout;
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
        this.layout = layout;
        this.shape = spec.shape();
        this.precision = precision;
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
        };
        for (int l = 0; l < shape.layers(); l++) {
            for (String cache : List.of(GraphContract.keyCache(l), GraphContract.valueCache(l))) {
                inputs.add(
                        OnnxGraph.value(cache, cacheType, "blocks", "block_size", shape.kvHeads(), shape.headSize()));
            }
        }
        ValueInfoProto logits = OnnxGraph.value(GraphContract.LOGITS, DataType.FLOAT, ROWS, shape.vocabSize());
        return graph.model(constants.protos(), inputs, List.of(logits));
    }

    private void layOut() {
        rotaryTables();
        String residual = embedding();
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
            String output = linear(
                    attention,
                    prefix + "output",
                    List.of(matrix(names.output(), shape.hiddenSize(), attentionWidth())),
                    attentionWidth(),
                    bits());
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
        head(x);
    }

    private String attention(String x, int layer, LayerTensors names) {
        int kvWidth = shape.kvHeads() * shape.headSize();
        String packed = linear(
                x,
                "layers." + layer + ".query_key_value",
                List.of(
                        matrix(names.query(), attentionWidth(), shape.hiddenSize()),
                        matrix(names.key(), kvWidth, shape.hiddenSize()),
                        matrix(names.value(), kvWidth, shape.hiddenSize())),
                shape.hiddenSize(),
                bits());
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
        int inner = shape.innerSize();
        String gate = linear(
                x,
                prefix + "gate",
                List.of(matrix(names.gate(), inner, shape.hiddenSize())),
                shape.hiddenSize(),
                bits());
        String up = linear(
                x, prefix + "up", List.of(matrix(names.up(), inner, shape.hiddenSize())), shape.hiddenSize(), bits());
        // x * sigmoid(alpha * x) with alpha 1 is SiLU.
        String activated =
                graph.node(MICROSOFT, "QuickGelu", prefix + "activation", List.of(gate), Map.of("alpha", 1f));
        String gated = graph.node(ONNX, "Mul", prefix + "gated", List.of(activated, up), Map.of());
        return linear(gated, prefix + "down", List.of(matrix(names.down(), shape.hiddenSize(), inner)), inner, bits());
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

    private String embedding() {
        List<Part> table = List.of(matrix(spec.embedding(), shape.vocabSize(), shape.hiddenSize()));
        if (precision == Precision.FP32) {
            String weight = constants.floats(spec.embedding(), table, shape.hiddenSize());
            return graph.node(ONNX, "Gather", "embedding", List.of(weight, GraphContract.INPUT_IDS), Map.of("axis", 0));
        }
        if (layout == WeightLayout.PACKED) {
            PackedLayout packed = new PackedLayout(shape.vocabSize(), shape.hiddenSize(), HEAD_BITS);
            return packedNode(
                    GraphContract.PACKED_GATHER,
                    "embedding",
                    GraphContract.INPUT_IDS,
                    constants.packed(spec.embedding(), table, packed),
                    packed);
        }
        // MatMulNBits wants [rows, blocks, block], this operator [rows, columns]: the same bytes where no block is
        // padded.
        Quantized weight = constants.quantized(spec.embedding(), table, shape.hiddenSize(), HEAD_BITS);
        long paddedWidth = (long) BlockQuantizer.blocks(shape.hiddenSize()) * BlockQuantizer.BLOCK;
        String codes = constants.alias(weight.codes(), spec.embedding() + ".rows", shape.vocabSize(), paddedWidth);
        String padded = graph.node(
                MICROSOFT,
                "GatherBlockQuantized",
                "embedding",
                List.of(codes, GraphContract.INPUT_IDS, weight.scales()),
                Map.of("bits", HEAD_BITS, "block_size", BlockQuantizer.BLOCK, "gather_axis", 0, "quantize_axis", 1));
        return paddedWidth == shape.hiddenSize()
                ? padded
                : graph.node(
                        ONNX,
                        "Slice",
                        "embedding.unpadded",
                        List.of(
                                padded,
                                constants.integer("embedding.start", 0),
                                constants.integer("embedding.end", shape.hiddenSize()),
                                constants.integer("embedding.axis", 1)),
                        Map.of());
    }

    private void head(String x) {
        List<Part> table = List.of(
                matrix(spec.tiedHead() ? spec.embedding() : spec.head(), shape.vocabSize(), shape.hiddenSize()));
        linear(x, GraphContract.LOGITS, table, shape.hiddenSize(), precision == Precision.FP32 ? 0 : HEAD_BITS);
    }

    /** x [rows, columns] times the transpose of the parts [sum of rows, columns]; one part that is there already is shared. */
    private String linear(String x, String name, List<Part> parts, int columns, int bits) {
        String weight = parts.size() == 1 ? parts.getFirst().tensor() : name + ".weight";
        if (bits == 0) {
            return graph.node(
                    ONNX, "Gemm", name, List.of(x, constants.floats(weight, parts, columns)), Map.of("transB", 1));
        }
        int rows = parts.stream().mapToInt(Part::rows).sum();
        if (layout == WeightLayout.PACKED) {
            PackedLayout packed = new PackedLayout(rows, columns, bits);
            return packedNode(GraphContract.PACKED_MATMUL, name, x, constants.packed(weight, parts, packed), packed);
        }
        Quantized quantized = constants.quantized(weight, parts, columns, bits);
        return graph.node(
                MICROSOFT,
                "MatMulNBits",
                name,
                List.of(x, quantized.codes(), quantized.scales()),
                Map.of(
                        "K",
                        columns,
                        "N",
                        rows,
                        "bits",
                        bits,
                        "block_size",
                        BlockQuantizer.BLOCK,
                        "accuracy_level",
                        ACCURACY_LEVEL));
    }

    private String packedNode(String type, String name, String input, String weight, PackedLayout packed) {
        return graph.node(
                GraphContract.DOMAIN,
                type,
                name,
                List.of(input, weight),
                Map.of(
                        GraphContract.ATTR_OUTPUTS,
                        packed.outputs(),
                        GraphContract.ATTR_INPUTS,
                        packed.inputs(),
                        GraphContract.ATTR_BITS,
                        packed.bits()));
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

    private static Part matrix(String tensor, int rows, int columns) {
        return new Part.Matrix(tensor, rows, columns);
    }

    private int attentionWidth() {
        return shape.heads() * shape.headSize();
    }

    private int bits() {
        return switch (precision) {
            case FP32 -> 0;
            case INT8 -> 8;
            case INT4 -> 4;
        };
    }
}
