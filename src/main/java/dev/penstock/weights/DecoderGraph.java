package dev.penstock.weights;

import static dev.penstock.weights.OnnxGraph.ABSENT;
import static dev.penstock.weights.OnnxGraph.MICROSOFT;
import static dev.penstock.weights.OnnxGraph.ONNX;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.penstock.model.DecoderShape;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.onnx.GraphContract;
import dev.penstock.onnx.GraphSignature;
import dev.penstock.onnx.gemm.Activation;
import dev.penstock.weights.DecoderSpec.Attention;
import dev.penstock.weights.DecoderSpec.Experts;
import dev.penstock.weights.DecoderSpec.Gated;
import dev.penstock.weights.DecoderSpec.Head;
import dev.penstock.weights.DecoderSpec.Layer;
import dev.penstock.weights.DecoderSpec.Rows;
import dev.penstock.weights.InitializerTable.Linear;
import dev.penstock.weights.InitializerTable.Part;
import dev.penstock.weights.MatrixFormat.ExpertWeights;
import dev.penstock.weights.MatrixFormat.Matrix;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;

/**
 * The graph of a decoder, by {@link GraphContract}: T tokens go in packed, logits of R wanted rows come out, or the rows
 * themselves where there is no head.
 *
 * <p>A layer is norm, packed query-key-value matrix, attention, output matrix, then norm, gate and up, down. Each norm
 * that reads the residual is, but for the first, fused with the add before it; its fourth output carries the sum on. In the last layer only
 * the wanted rows go on after attention: its output matrix, MLP and the head work on R rows, not T, which in a prompt
 * saves most of a layer.
 *
 * <p>A graph for CUDA has the same nodes in 16-bit floats, but for a residual that may need 32.
 *
 * <p>Matrices are stored as the {@link MatrixFormat} of the precision has them. The head has 8 bits in every quantised
 * variant, since its errors go straight into the logits, and the embedding table too, so that a tied one is stored once.
 */
final class DecoderGraph implements BuiltGraph {
    private static final int TABLE_BITS = 8;

    private final DecoderSpec spec;
    private final DecoderShape shape;
    private final Precision precision;
    /** Whether it is for CUDA: attention is ONNX Runtime's own, and numbers have 16 bits. */
    private final boolean cuda;
    /** Type of the residual, of norms of it, and of what is added to it. */
    private final DataType residualType;
    /** Format of the layers' matrices. */
    private final MatrixFormat layerFormat;
    /** Format of those among them that suffer most from rounding: query-key-value and down (decision 9). */
    private final MatrixFormat sensitiveFormat;
    /** Format of embedding table and head. */
    private final MatrixFormat tableFormat;

    private final InitializerTable constants;
    private final OnnxGraph graph = new OnnxGraph();
    private final float epsilon;
    /** Those that there are tables of. */
    private final List<RotaryEmbedding> rotaries = new ArrayList<>();

    /**
     * Lays out the graph and its constants; no weight is read yet.
     *
     * @param spec what to build; its context length is the number of positions that the rotary tables have
     * @param layout of matrices
     * @param dataFile name of the external data file
     */
    DecoderGraph(DecoderSpec spec, Precision precision, WeightLayout layout, String dataFile) {
        this.spec = spec;
        this.shape = spec.shape();
        this.precision = precision;
        this.cuda = layout == WeightLayout.CUDA;
        this.residualType = cuda && !normsOutputs(spec) ? DataType.FLOAT16 : DataType.FLOAT;
        this.layerFormat = switch (precision) {
            case FP32 -> new FloatFormat();
            case FP16 -> new HalfFormat();
            case INT8 -> MatrixFormat.quantized(layout, 8);
            case INT4, MIXED -> MatrixFormat.quantized(layout, 4);
        };
        this.sensitiveFormat = precision == Precision.MIXED ? MatrixFormat.quantized(layout, 8) : layerFormat;
        boolean plain = precision == Precision.FP32 || precision == Precision.FP16;
        this.tableFormat = plain ? layerFormat : MatrixFormat.quantized(layout, TABLE_BITS);
        this.constants = new InitializerTable(dataFile, cuda ? DataType.FLOAT16 : DataType.FLOAT);
        this.epsilon = (float) spec.norm().epsilon();
        layOut();
    }

    /**
     * Whether layers norm what they add to the residual. Families that do (Gemma 2 and 3, Glm4, Grok) were trained in bfloat16,
     * and their residual grows beyond the 65504 that a 16-bit float can be; its 32 bits cost two changes of type a norm.
     */
    private static boolean normsOutputs(DecoderSpec spec) {
        return spec.layers().stream()
                .anyMatch(l ->
                        l.attentionOutputNorm().isPresent() || l.mlpOutputNorm().isPresent());
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
        return cuda ? List.of(KvType.FP16) : List.of(KvType.values());
    }

    @Override
    public InitializerTable constants() {
        return constants;
    }

    @Override
    public ModelProto model(KvType kvType) {
        return graph.model(
                constants.protos(),
                GraphSignature.inputs(shape, kvType, cuda),
                List.of(spec.hasHead() ? GraphSignature.logits(shape) : GraphSignature.hidden(shape)));
    }

    private void layOut() {
        Matrix embedding = matrix(spec.embedding().table(), shape.vocabSize(), shape.hiddenSize());
        String residual =
                summand(tableFormat.lookUp(graph, constants, GraphContract.INPUT_IDS, "embedding", embedding));
        if (spec.embedding().scale() != 1) {
            residual = scaled(residual, "embedding.scaled", spec.embedding().scale(), residualType);
        }
        String x = factor(norm(
                residual, "layers.0.attention_norm", spec.layers().getFirst().attentionNorm()));
        for (int l = 0; l < shape.layers(); l++) {
            Layer layer = spec.layers().get(l);
            boolean last = l == shape.layers() - 1;
            String prefix = "layers." + l + ".";
            String attention = attention(x, l, layer.attention());
            if (last) {
                attention = wantedRows(attention);
                residual = wantedRows(residual);
            }
            String output = summand(layerFormat.multiply(
                    graph,
                    constants,
                    attention,
                    prefix + "output",
                    matrix(layer.attention().output(), shape.hiddenSize(), attentionWidth())));
            if (layer.attentionOutputNorm().isPresent()) {
                output = norm(
                        output,
                        prefix + "output_norm",
                        layer.attentionOutputNorm().get());
            }
            SkipNorm mlpNorm = skipNorm(residual, output, prefix + "mlp_norm", layer.mlpNorm(), 1, true);
            String mlp = summand(
                    switch (layer.mlp()) {
                        case Gated gated -> gated(mlpNorm.normed(), prefix, gated);
                        case Experts experts -> experts(mlpNorm.normed(), prefix, experts);
                    });
            if (layer.mlpOutputNorm().isPresent()) {
                mlp = norm(
                        mlp, prefix + "mlp_output_norm", layer.mlpOutputNorm().get());
            }
            SkipNorm next = last
                    ? skipNorm(mlpNorm.sum(), mlp, "final_norm", spec.head().norm(), finalNormScale(), false)
                    : skipNorm(
                            mlpNorm.sum(),
                            mlp,
                            "layers." + (l + 1) + ".attention_norm",
                            spec.layers().get(l + 1).attentionNorm(),
                            1,
                            true);
            x = next.normed();
            residual = next.sum();
        }
        head(x);
    }

    private void head(String x) {
        if (!spec.hasHead()) {
            graph.cast(x, GraphContract.HIDDEN, DataType.FLOAT);
            return;
        }
        Head head = spec.head();
        Matrix matrix = matrix(head.matrix(), shape.vocabSize(), shape.hiddenSize());
        String product = head.softcap() == 0 ? GraphContract.LOGITS : "logits.shares";
        if (cuda) {
            String half = tableFormat.multiply(graph, constants, x, product + ".half", matrix);
            graph.cast(half, product, DataType.FLOAT);
        } else {
            tableFormat.multiply(graph, constants, x, product, matrix);
        }
        if (head.softcap() != 0) {
            String bounded = graph.node(ONNX, "Tanh", "logits.bounded", List.of(product), Map.of());
            scaled(bounded, GraphContract.LOGITS, head.softcap(), DataType.FLOAT);
        }
    }

    /** A factor of the logits, and the division by their cap, are one with the weight of the norm before the head. */
    private double finalNormScale() {
        Head head = spec.head();
        return head.softcap() == 0 ? head.scale() : head.scale() / head.softcap();
    }

    private String attention(String x, int layer, Attention attention) {
        String prefix = "layers." + layer + ".";
        String packed = sensitiveFormat.multiply(
                graph,
                constants,
                x,
                prefix + "query_key_value",
                new Matrix(
                        prefix + "query_key_value.weight",
                        attention.queryKeyValue().stream()
                                .map(rows -> part(rows, shape.hiddenSize()))
                                .toList(),
                        shape.hiddenSize()));
        if (!attention.bias().isEmpty()) {
            String bias = constants.vector(
                    prefix + "query_key_value.bias",
                    attention.bias().stream().map(DecoderGraph::vectorPart).toList(),
                    Linear.IDENTITY);
            packed = graph.node(ONNX, "Add", prefix + "query_key_value.biased", List.of(packed, bias), Map.of());
        }
        List<String> inputs = new ArrayList<>(
                attention.headNorms().isPresent()
                        ? normedHeads(packed, prefix, attention.headNorms().get())
                        : List.of(packed, ABSENT, ABSENT));
        String rotary = rotaryTables(attention.rotary());
        inputs.addAll(List.of(
                GraphContract.keyCache(layer),
                GraphContract.valueCache(layer),
                GraphContract.SEQUENCE_STARTS,
                GraphContract.PAST_LENGTHS,
                GraphContract.BLOCK_TABLE,
                rotary + ".cos",
                rotary + ".sin"));
        if (cuda) {
            // Between the tables and the bounds: slot_mapping, head_sink, norms of heads, scales of the cache.
            inputs.addAll(Collections.nCopies(6, ABSENT));
            inputs.add(GraphContract.ATTENTION_BOUNDS);
        }
        return graph.node(
                cuda ? MICROSOFT : GraphContract.DOMAIN,
                GraphContract.ATTENTION,
                GraphContract.attentionNode(layer),
                inputs,
                attributes(attention));
    }

    private Map<String, Number> attributes(Attention attention) {
        Map<String, Number> attributes = new HashMap<>();
        attributes.put(GraphContract.ATTR_HEADS, shape.heads());
        attributes.put(GraphContract.ATTR_KV_HEADS, shape.kvHeads());
        attributes.put(GraphContract.ATTR_SCALE, (float) attention.scores().scale());
        attributes.put(GraphContract.ATTR_SOFTCAP, (float) attention.scores().softcap());
        attributes.put(GraphContract.ATTR_DO_ROTARY, 1);
        attributes.put(GraphContract.ATTR_INTERLEAVED, attention.rotary().interleaved() ? 1 : 0);
        attention.scores().window().ifPresent(tokens -> attributes.put(GraphContract.ATTR_WINDOW, tokens));
        return attributes;
    }

    /** Queries, keys and values apart, with queries and keys normed head by head. */
    private List<String> normedHeads(String packed, String prefix, DecoderSpec.HeadNorms norms) {
        int width = attentionWidth();
        int kvWidth = shape.kvHeads() * shape.headSize();
        List<String> parts = List.of(prefix + "query", prefix + "key", prefix + "value");
        String sizes = constants.integers("attention.widths", width, kvWidth, kvWidth);
        graph.node(ONNX, "Split", prefix + "split", List.of(packed, sizes), parts, Map.of("axis", 1));
        return List.of(
                normedHeads(parts.get(0), "attention.query_heads", shape.heads(), norms.query()),
                normedHeads(parts.get(1), "attention.key_heads", shape.kvHeads(), norms.key()),
                parts.get(2));
    }

    private String normedHeads(String x, String shapes, int heads, String weight) {
        // The first dimension of a new shape, 0, is the old one: tokens.
        String apart = constants.integers(shapes, 0, heads, shape.headSize());
        String together = constants.integers(shapes + ".together", 0, (long) heads * shape.headSize());
        String split = graph.node(ONNX, "Reshape", x + ".heads", List.of(x, apart), Map.of());
        String normed = graph.node(
                ONNX,
                "SimplifiedLayerNormalization",
                x + ".norm",
                List.of(split, normWeight(weight, shape.headSize(), 1, cuda ? DataType.FLOAT16 : DataType.FLOAT)),
                Map.of("axis", -1, "epsilon", epsilon));
        return graph.node(ONNX, "Reshape", x + ".normed", List.of(normed, together), Map.of());
    }

    private String gated(String x, String prefix, Gated mlp) {
        int hidden = shape.hiddenSize();
        String gated = layerFormat.multiplyGated(
                graph,
                constants,
                x,
                prefix + "gated",
                matrix(mlp.gate(), hidden),
                matrix(mlp.up(), hidden),
                mlp.activation());
        return sensitiveFormat.multiply(
                graph,
                constants,
                gated,
                prefix + "down",
                matrix(mlp.down(), hidden, mlp.gate().count()));
    }

    /** The router is not quantised: it is small, and another expert is another answer. */
    private String experts(String x, String prefix, Experts mlp) {
        int hidden = shape.hiddenSize();
        int inner = shape.innerSize();
        List<Gated> experts = mlp.experts();
        String logits = new FloatFormat()
                .multiply(graph, constants, x, prefix + "router", matrix(mlp.router(), experts.size(), hidden));
        return layerFormat.experts(
                graph,
                constants,
                x,
                logits,
                prefix + "experts",
                new ExpertWeights(
                        all(prefix + "experts.gate", experts, e -> part(e.gate(), hidden), hidden),
                        all(prefix + "experts.up", experts, e -> part(e.up(), hidden), hidden),
                        all(prefix + "experts.down", experts, e -> part(Rows.all(e.down(), hidden), inner), inner),
                        Map.of(
                                GraphContract.ATTR_EXPERTS,
                                experts.size(),
                                GraphContract.ATTR_CHOSEN,
                                mlp.chosen(),
                                GraphContract.ATTR_RENORMALISED,
                                mlp.renormalised() ? 1 : 0,
                                GraphContract.ATTR_GELU,
                                experts.getFirst().activation() == Activation.GELU_TANH ? 1 : 0,
                                GraphContract.ATTR_INPUTS,
                                hidden,
                                GraphContract.ATTR_OUTPUTS,
                                inner)));
    }

    private static Matrix all(String name, List<Gated> experts, Function<Gated, Part> part, int columns) {
        return new Matrix(name, experts.stream().map(part).toList(), columns);
    }

    private String norm(String x, String name, String weight) {
        return graph.node(
                ONNX,
                "SimplifiedLayerNormalization",
                name,
                List.of(x, normWeight(weight, shape.hiddenSize(), 1, residualType)),
                Map.of("axis", -1, "epsilon", epsilon));
    }

    /** A product as it is added to the residual, or normed before that. */
    private String summand(String x) {
        return residualWide() ? graph.cast(x, x + ".wide", DataType.FLOAT) : x;
    }

    /** The normed residual as matrices take it. */
    private String factor(String x) {
        return residualWide() ? graph.cast(x, x + ".narrow", DataType.FLOAT16) : x;
    }

    private boolean residualWide() {
        return cuda && residualType == DataType.FLOAT;
    }

    /** What the fused add and norm give: the norm of the sum, and the sum. */
    private record SkipNorm(String normed, String sum) {}

    private SkipNorm skipNorm(String residual, String x, String name, String weight, double scale, boolean sumWanted) {
        String sum = name + ".sum";
        graph.node(
                MICROSOFT,
                "SkipSimplifiedLayerNormalization",
                name,
                List.of(residual, x, normWeight(weight, shape.hiddenSize(), scale, residualType)),
                sumWanted ? List.of(name, ABSENT, ABSENT, sum) : List.of(name),
                Map.of("epsilon", epsilon));
        return new SkipNorm(factor(name), sum);
    }

    private String normWeight(String tensor, int size, double scale, DataType type) {
        return constants.vector(
                tensor,
                List.of(vectorPart(Rows.all(tensor, size))),
                new Linear(spec.norm().offset(), scale),
                type);
    }

    private String scaled(String x, String name, double factor, DataType type) {
        String constant = constants.number(name + ".factor", (float) factor, type);
        return graph.node(ONNX, "Mul", name, List.of(x, constant), Map.of());
    }

    private String wantedRows(String x) {
        return graph.node(ONNX, "Gather", x + ".wanted", List.of(x, GraphContract.LOGIT_ROWS), Map.of("axis", 0));
    }

    private static Part part(Rows rows, int columns) {
        return new Part(
                rows.tensor(),
                List.of((long) rows.total(), (long) columns),
                (long) rows.first() * columns,
                rows.count());
    }

    private static Part vectorPart(Rows rows) {
        return new Part(rows.tensor(), List.of((long) rows.total()), rows.first(), rows.count());
    }

    /** One tensor, under its own name. */
    private static Matrix matrix(String tensor, int rows, int columns) {
        return matrix(Rows.all(tensor, rows), columns);
    }

    /** Rows of one tensor, under its name and the number of the first one. */
    private static Matrix matrix(Rows rows, int columns) {
        String name = rows.count() == rows.total() ? rows.tensor() : rows.tensor() + "." + rows.first();
        return new Matrix(name, List.of(part(rows, columns)), columns);
    }

    /** Adds the tables of a rotary embedding, [contextLength, width / 2] each; returns what their names begin with. */
    private String rotaryTables(RotaryEmbedding rotary) {
        int known = rotaries.indexOf(rotary);
        String name = "rotary." + (known < 0 ? rotaries.size() : known);
        if (known < 0) {
            rotaries.add(rotary);
            double[] frequencies = rotary.frequencies(shape.contextLength());
            rotaryTable(name + ".cos", frequencies, rotary.magnitude(), Math::cos);
            rotaryTable(name + ".sin", frequencies, rotary.magnitude(), Math::sin);
        }
        return name;
    }

    private void rotaryTable(String name, double[] frequencies, double magnitude, DoubleUnaryOperator function) {
        constants.computed(name, shape.contextLength(), frequencies.length, position -> {
            float[] row = new float[frequencies.length];
            for (int i = 0; i < row.length; i++) {
                row[i] = (float) (magnitude * function.applyAsDouble(position * frequencies[i]));
            }
            return row;
        });
    }

    private int attentionWidth() {
        return shape.heads() * shape.headSize();
    }
}
