package dev.penstock.weights;

import static dev.penstock.weights.ClassicGraph.MICROSOFT;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.penstock.model.DecoderShape;
import dev.penstock.weights.DecoderSpec.Attention;
import dev.penstock.weights.DecoderSpec.Rows;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;

/** The attention of a {@link ClassicDecoder}, in one of the forms that exporters write. */
final class ClassicAttention {
    /** How it is written. */
    enum Form {
        /** onnxruntime-genai's default: packed query-key-value, rotation inside. */
        GROUP_QUERY_PACKED,
        /** Its form with norms of heads: three inputs, rotation inside. */
        GROUP_QUERY,
        /** Its form where rotation can't be inside: RotaryEmbedding nodes with position_ids. */
        GROUP_QUERY_ROTARY_NODES;

        int opset() {
            return 21;
        }
    }

    private final ClassicDecoder decoder;
    private final ClassicGraph graph;
    private final DecoderShape shape;
    private final Form form;
    private final Map<RotaryEmbedding, String> tables = new HashMap<>();
    private String lengths = "";
    private String total = "";

    ClassicAttention(ClassicDecoder decoder, Form form) {
        this.decoder = decoder;
        this.graph = decoder.graph;
        this.shape = decoder.shape;
        this.form = form;
    }

    /** Adds what all layers share. */
    void begin() {
        if (form == Form.GROUP_QUERY_ROTARY_NODES) {
            graph.input("position_ids", DataType.INT64, "batch_size", "sequence_length");
        }
        String sums = graph.node("ReduceSum", Map.of("keepdims", 0), "attention_mask", graph.integers(1));
        lengths = cast(graph.node("Sub", Map.of(), sums, graph.integers(1)), DataType.INT32);
        String shape = graph.node("Shape", Map.of(), "attention_mask");
        total = cast(graph.node("Gather", Map.of("axis", 0), shape, graph.integer(1)), DataType.INT32);
    }

    /** Adds a layer's; returns [batch, sequence, heads * headSize]. */
    String add(int layer, Attention attention, String x) {
        for (String part : List.of("key", "value")) {
            Object[] past = {"batch_size", shape.kvHeads(), "past_sequence_length", shape.headSize()};
            graph.input("past_key_values." + layer + "." + part, DataType.FLOAT, past);
            Object[] present = {"batch_size", shape.kvHeads(), "total_sequence_length", shape.headSize()};
            graph.output("present." + layer + "." + part, DataType.FLOAT, present);
        }
        List<String> inputs = new ArrayList<>(inputs(layer, attention, x));
        Map<String, Object> attributes = new HashMap<>();
        attributes.put("num_heads", shape.heads());
        attributes.put("kv_num_heads", shape.kvHeads());
        attributes.put("scale", (float) attention.scores().scale());
        attributes.put("softcap", (float) attention.scores().softcap());
        attributes.put("local_window_size", attention.scores().window().orElse(-1));
        inputs.addAll(
                List.of("past_key_values." + layer + ".key", "past_key_values." + layer + ".value", lengths, total));
        if (form != Form.GROUP_QUERY_ROTARY_NODES) {
            String table = tables(attention.rotary());
            inputs.addAll(List.of(table + ".cos", table + ".sin"));
            attributes.put("do_rotary", 1);
            attributes.put("rotary_interleaved", attention.rotary().interleaved() ? 1 : 0);
        }
        String name = "/model/layers." + layer + "/attn/GroupQueryAttention";
        graph.node(
                MICROSOFT,
                "GroupQueryAttention",
                name,
                attributes,
                inputs,
                List.of(name + "/output_0", "present." + layer + ".key", "present." + layer + ".value"));
        return name + "/output_0";
    }

    /** Query, key and value, absent where they are packed. */
    private List<String> inputs(int layer, Attention attention, String x) {
        List<Rows> all = attention.queryKeyValue();
        if (form == Form.GROUP_QUERY_PACKED && attention.headNorms().isEmpty()) {
            String name = "/model/layers." + layer + "/attn/qkv_proj";
            String packed = decoder.matrix(x, name, all, shape.hiddenSize());
            if (!attention.bias().isEmpty()) {
                float[] bias = decoder.together(attention.bias(), 1);
                packed = graph.node("Add", Map.of(), packed, graph.floats(name + ".bias", bias, bias.length));
            }
            return List.of(packed, "", "");
        }
        int[] heads = {shape.heads(), shape.kvHeads(), shape.kvHeads()};
        List<String> parts = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            String name = "/model/layers." + layer + "/attn/" + "qkv".charAt(i) + "_proj";
            String part = decoder.matrix(x, name, List.of(apart(all, heads).get(i)), shape.hiddenSize());
            if (!attention.bias().isEmpty()) {
                float[] bias =
                        decoder.together(List.of(apart(attention.bias(), heads).get(i)), 1);
                part = graph.node("Add", Map.of(), part, graph.floats(name + ".bias", bias, bias.length));
            }
            if (i < 2 && attention.headNorms().isPresent()) {
                DecoderSpec.HeadNorms norms = attention.headNorms().get();
                part = headNorm(part, heads[i], i == 0 ? norms.query() : norms.key());
            }
            if (i < 2 && form == Form.GROUP_QUERY_ROTARY_NODES) {
                part = rotated(part, heads[i], attention.rotary());
            }
            parts.add(part);
        }
        return parts;
    }

    /** Rows of query, key and value, which may be those of one tensor. */
    private List<Rows> apart(List<Rows> rows, int[] heads) {
        if (rows.size() == 3) {
            return rows;
        }
        List<Rows> parts = new ArrayList<>();
        int first = rows.getFirst().first();
        for (int count : heads) {
            parts.add(new Rows(
                    rows.getFirst().tensor(),
                    first,
                    count * shape.headSize(),
                    rows.getFirst().total()));
            first += count * shape.headSize();
        }
        return parts;
    }

    private String headNorm(String x, int heads, String weight) {
        String apart = graph.node("Reshape", Map.of(), x, graph.integers(0, -1, shape.headSize()));
        String normed = decoder.norm(apart, weight, shape.headSize());
        return graph.node("Reshape", Map.of(), normed, graph.integers(0, -1, (long) heads * shape.headSize()));
    }

    private String rotated(String x, int heads, RotaryEmbedding rotary) {
        String table = tables(rotary);
        return graph.node(
                MICROSOFT,
                "RotaryEmbedding",
                Map.of(
                        "interleaved",
                        rotary.interleaved() ? 1 : 0,
                        "num_heads",
                        heads,
                        "rotary_embedding_dim",
                        rotary.width() == shape.headSize() ? 0 : rotary.width()),
                x,
                "position_ids",
                table + ".cos",
                table + ".sin");
    }

    private String tables(RotaryEmbedding rotary) {
        return tables.computeIfAbsent(rotary, r -> {
            String name = "rotary_" + tables.size();
            table(name + ".cos", r, Math::cos);
            table(name + ".sin", r, Math::sin);
            return name;
        });
    }

    private void table(String name, RotaryEmbedding rotary, DoubleUnaryOperator function) {
        double[] frequencies = rotary.frequencies(shape.contextLength());
        float[] table = new float[shape.contextLength() * frequencies.length];
        for (int i = 0; i < table.length; i++) {
            double angle = (double) (i / frequencies.length) * frequencies[i % frequencies.length];
            table[i] = (float) (rotary.magnitude() * function.applyAsDouble(angle));
        }
        graph.floats(name, table, shape.contextLength(), frequencies.length);
    }

    private String cast(String x, DataType type) {
        return graph.node("Cast", Map.of("to", type.getNumber()), x);
    }
}
