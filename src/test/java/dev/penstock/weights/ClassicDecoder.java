package dev.penstock.weights;

import static dev.penstock.weights.ClassicGraph.MICROSOFT;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.penstock.model.DecoderShape;
import dev.penstock.onnx.gemm.Activation;
import dev.penstock.weights.DecoderSpec.Attention;
import dev.penstock.weights.DecoderSpec.Gated;
import dev.penstock.weights.DecoderSpec.Layer;
import dev.penstock.weights.DecoderSpec.Rows;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A decoder as onnxruntime-genai's builder and Optimum write it: tokens [batch, sequence], a mask, and each layer's keys
 * and values in and out. {@link ClassicAttention} has the forms of attention.
 */
final class ClassicDecoder {
    /** How matrices are stored. */
    enum Matrices {
        FLOATS,
        /** com.microsoft.MatMulNBits with symmetric codes of 4 bits, as the builder's int4 has it. */
        NIBBLES
    }

    final ClassicGraph graph;
    final DecoderSpec spec;
    final DecoderShape shape;
    private final WeightSource weights;
    private final Matrices matrices;

    private ClassicDecoder(ClassicGraph graph, HuggingFaceFolder source, WeightSource weights, Matrices matrices) {
        this.graph = graph;
        this.spec = source.spec();
        this.shape = spec.shape();
        this.weights = weights;
        this.matrices = matrices;
    }

    /** Writes the graph of a model, and the data in that file beside it. */
    static Path write(
            HuggingFaceFolder source, ClassicAttention.Form form, Matrices matrices, Path file, String dataFile) {
        ClassicGraph graph = new ClassicGraph(dataFile);
        try (WeightSource weights = source.openWeights()) {
            ClassicDecoder decoder = new ClassicDecoder(graph, source, weights, matrices);
            decoder.layOut(new ClassicAttention(decoder, form));
        }
        return graph.write(file, form.opset());
    }

    private void layOut(ClassicAttention attention) {
        graph.input("input_ids", DataType.INT64, "batch_size", "sequence_length");
        graph.input("attention_mask", DataType.INT64, "batch_size", "total_sequence_length");
        attention.begin();
        String embedding = spec.embedding().table();
        String table = graph.floats(
                embedding,
                rows(Rows.all(embedding, shape.vocabSize()), shape.hiddenSize()),
                shape.vocabSize(),
                shape.hiddenSize());
        String residual = graph.node("Gather", Map.of(), table, "input_ids");
        if (spec.embedding().scale() != 1) {
            residual = graph.node(
                    "Mul", Map.of(), residual, graph.number(spec.embedding().scale()));
        }
        String x = norm(residual, spec.layers().getFirst().attentionNorm(), shape.hiddenSize());
        for (int l = 0; l < shape.layers(); l++) {
            Layer layer = spec.layers().get(l);
            Attention a = layer.attention();
            String output = matrix(
                    attention.add(l, a, x), Rows.all(a.output(), shape.hiddenSize()), shape.heads() * shape.headSize());
            if (layer.attentionOutputNorm().isPresent()) {
                output = norm(output, layer.attentionOutputNorm().get(), shape.hiddenSize());
            }
            List<String> mlpNorm = skipNorm(residual, output, layer.mlpNorm());
            String mlp = gated(mlpNorm.get(0), (Gated) layer.mlp());
            if (layer.mlpOutputNorm().isPresent()) {
                mlp = norm(mlp, layer.mlpOutputNorm().get(), shape.hiddenSize());
            }
            boolean last = l == shape.layers() - 1;
            List<String> next = skipNorm(
                    mlpNorm.get(1),
                    mlp,
                    last ? spec.head().norm() : spec.layers().get(l + 1).attentionNorm());
            x = next.get(0);
            residual = next.get(1);
        }
        head(x);
        graph.output("logits", DataType.FLOAT, "batch_size", "sequence_length", shape.vocabSize());
    }

    private void head(String x) {
        DecoderSpec.Head head = spec.head();
        String logits = matrix(x, Rows.all(head.matrix(), shape.vocabSize()), shape.hiddenSize());
        if (head.scale() != 1) {
            logits = graph.node("Mul", Map.of(), logits, graph.number(head.scale()));
        }
        if (head.softcap() != 0) {
            String cap = graph.number(head.softcap());
            String bounded = graph.node("Tanh", Map.of(), graph.node("Div", Map.of(), logits, cap));
            logits = graph.node("Mul", Map.of(), bounded, cap);
        }
        graph.node("", "Identity", "/lm_head/Identity", Map.of(), List.of(logits), List.of("logits"));
    }

    private String gated(String x, Gated mlp) {
        String gate = matrix(x, mlp.gate(), shape.hiddenSize());
        String up = matrix(x, mlp.up(), shape.hiddenSize());
        String active = mlp.activation() == Activation.SILU
                ? graph.node("Mul", Map.of(), gate, graph.node("Sigmoid", Map.of(), gate))
                : graph.node(MICROSOFT, "FastGelu", Map.of(), gate);
        return matrix(
                graph.node("Mul", Map.of(), active, up),
                Rows.all(mlp.down(), shape.hiddenSize()),
                mlp.gate().count());
    }

    /** x times the transposed rows. */
    String matrix(String x, Rows rows, int columns) {
        return matrix(x, rows.tensor() + "." + rows.first(), rows(rows, columns), rows.count(), columns);
    }

    /** x times the transposed rows of several tensors, one after the other. */
    String matrix(String x, String name, List<Rows> parts, int columns) {
        int count = parts.stream().mapToInt(Rows::count).sum();
        return matrix(x, name, together(parts, columns), count, columns);
    }

    private String matrix(String x, String name, float[] values, int rows, int columns) {
        return switch (matrices) {
            case FLOATS -> {
                float[] transposed = new float[values.length];
                for (int r = 0; r < rows; r++) {
                    for (int c = 0; c < columns; c++) {
                        transposed[c * rows + r] = values[r * columns + c];
                    }
                }
                yield graph.node(
                        "MatMul", Map.of(), x, graph.floats(name + ".MatMul.weight", transposed, columns, rows));
            }
            case NIBBLES -> nibbles(x, name, values, rows, columns);
        };
    }

    private String nibbles(String x, String name, float[] values, int rows, int columns) {
        int block = 32;
        int blocks = Math.ceilDiv(columns, block);
        byte[] codes = new byte[rows * blocks * block / 2];
        float[] scales = new float[rows * blocks];
        for (int r = 0; r < rows; r++) {
            for (int b = 0; b < blocks; b++) {
                int end = Math.min(columns, (b + 1) * block);
                float greatest = 1e-9f;
                for (int c = b * block; c < end; c++) {
                    greatest = Math.max(greatest, Math.abs(values[r * columns + c]));
                }
                float scale = greatest / 7;
                scales[r * blocks + b] = scale;
                for (int c = b * block; c < (b + 1) * block; c++) {
                    int code = c < end ? Math.round(values[r * columns + c] / scale) + 8 : 8;
                    codes[(r * blocks * block + c) / 2] |= (byte) (code << 4 * (c % 2));
                }
            }
        }
        return graph.node(
                MICROSOFT,
                "MatMulNBits",
                Map.of("K", columns, "N", rows, "bits", 4, "block_size", block, "accuracy_level", 1),
                x,
                graph.bytes(name + ".MatMul.weight_Q4", DataType.UINT8, codes, rows, blocks, block / 2),
                graph.floats(name + ".MatMul.weight_scales", scales, (long) rows * blocks));
    }

    float[] together(List<Rows> parts, int columns) {
        int count = parts.stream().mapToInt(Rows::count).sum();
        float[] values = new float[count * columns];
        int at = 0;
        for (Rows part : parts) {
            float[] some = rows(part, columns);
            System.arraycopy(some, 0, values, at, some.length);
            at += some.length;
        }
        return values;
    }

    private float[] rows(Rows rows, int columns) {
        float[] values = new float[rows.count() * columns];
        weights.read(rows.tensor(), (long) rows.first() * columns, values, 0, values.length);
        return values;
    }

    String norm(String x, String tensor, int size) {
        return graph.node(
                "SimplifiedLayerNormalization",
                Map.of("axis", -1, "epsilon", (float) spec.norm().epsilon(), "stash_type", 1),
                x,
                normWeight(tensor, size));
    }

    private List<String> skipNorm(String residual, String x, String tensor) {
        String name = tensor + "/SkipLayerNorm";
        graph.node(
                MICROSOFT,
                "SkipSimplifiedLayerNormalization",
                name,
                Map.of("epsilon", (float) spec.norm().epsilon()),
                List.of(residual, x, normWeight(tensor, shape.hiddenSize())),
                List.of(name + "/output_0", "", "", name + "/output_3"));
        return List.of(name + "/output_0", name + "/output_3");
    }

    private String normWeight(String tensor, int size) {
        float[] weight = rows(Rows.all(tensor, size), 1);
        for (int i = 0; i < size; i++) {
            weight[i] += (float) spec.norm().offset();
        }
        return graph.floats(tensor, weight, size);
    }
}
