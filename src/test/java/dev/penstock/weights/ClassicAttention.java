package dev.penstock.weights;

import static dev.penstock.weights.ClassicGraph.MICROSOFT;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.penstock.model.DecoderShape;
import dev.penstock.weights.DecoderSpec.Attention;
import dev.penstock.weights.DecoderSpec.Rows;
import dev.penstock.weights.RopeScaling.LongRope;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
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
        GROUP_QUERY_ROTARY_NODES,
        /** Its form for other processors: keys and values put behind the past and repeated, a mask of four dimensions. */
        MULTI_HEAD,
        /** The standard's operator with the cache inside. */
        STANDARD,
        /** The standard's operator over keys and values that were put behind the past, with four dimensions. */
        STANDARD_AFTER_CONCAT,
        /** Single operators, as Optimum exports them. */
        DECOMPOSED;

        int opset() {
            return this == STANDARD || this == STANDARD_AFTER_CONCAT ? 23 : 21;
        }

        boolean groupQuery() {
            return this == GROUP_QUERY_PACKED || this == GROUP_QUERY || this == GROUP_QUERY_ROTARY_NODES;
        }

        boolean rotaryInside() {
            return this == GROUP_QUERY_PACKED || this == GROUP_QUERY;
        }

        /** Whether it can say what a model's attention does. */
        boolean says(Attention attention) {
            // MultiHeadAttention has no cap of scores.
            return this != MULTI_HEAD || attention.scores().softcap() == 0;
        }
    }

    private final ClassicDecoder decoder;
    private final ClassicGraph graph;
    private final DecoderShape shape;
    private final Form form;
    private static final Map<String, ?> SWAP = Map.of("perm", List.of(0, 2, 1, 3));

    private final Map<OptionalInt, String> masks = new HashMap<>();
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
        if (!form.rotaryInside()) {
            graph.input("position_ids", DataType.INT64, "batch_size", "sequence_length");
        }
        if (!form.groupQuery()) {
            return;
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
        if (!form.groupQuery()) {
            return masked(layer, attention, inputs(layer, attention, x));
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
        if (form.rotaryInside()) {
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

    /** Attention with a mask; takes query, key and value [batch, sequence, heads * headSize]. */
    private String masked(int layer, Attention attention, List<String> inputs) {
        String query = inputs.get(0);
        String mask = masks.computeIfAbsent(attention.scores().window(), this::mask);
        String name = "/model/layers." + layer + "/attn";
        String pastKey = "past_key_values." + layer + ".key";
        String pastValue = "past_key_values." + layer + ".value";
        String presentKey = "present." + layer + ".key";
        String presentValue = "present." + layer + ".value";
        Map<String, Object> scores =
                new HashMap<>(Map.of("scale", (float) attention.scores().scale()));
        if (form == Form.STANDARD) {
            scores.put("q_num_heads", shape.heads());
            scores.put("kv_num_heads", shape.kvHeads());
            scores.put("softcap", (float) attention.scores().softcap());
            graph.node(
                    "",
                    "Attention",
                    name,
                    scores,
                    List.of(query, inputs.get(1), inputs.get(2), mask, pastKey, pastValue),
                    List.of(name + "/output_0", presentKey, presentValue));
            return name + "/output_0";
        }
        String keys = behindPast(pastKey, inputs.get(1), presentKey);
        String values = behindPast(pastValue, inputs.get(2), presentValue);
        return switch (form) {
            case STANDARD_AFTER_CONCAT -> {
                scores.put("softcap", (float) attention.scores().softcap());
                yield together(graph.node("Attention", scores, heads(query, shape.heads()), keys, values, mask));
            }
            case MULTI_HEAD -> {
                scores.put("num_heads", shape.heads());
                yield graph.node(
                        MICROSOFT,
                        "MultiHeadAttention",
                        scores,
                        query,
                        together(repeated(keys)),
                        together(repeated(values)),
                        "",
                        "",
                        mask);
            }
            default -> decomposed(attention, heads(query, shape.heads()), repeated(keys), repeated(values), mask);
        };
    }

    private String decomposed(Attention attention, String query, String keys, String values, String mask) {
        String turned = graph.node("Transpose", Map.of("perm", List.of(0, 1, 3, 2)), keys);
        double scale = attention.scores().scale();
        double cap = attention.scores().softcap();
        String scores;
        if (cap == 0) {
            // As PyTorch has it: the root of the scale on either side.
            String root = graph.number(Math.sqrt(scale));
            scores = graph.node(
                    "MatMul",
                    Map.of(),
                    graph.node("Mul", Map.of(), query, root),
                    graph.node("Mul", Map.of(), turned, root));
        } else {
            String products = graph.node("MatMul", Map.of(), query, turned);
            String shares = graph.node(
                    "Div", Map.of(), graph.node("Mul", Map.of(), products, graph.number(scale)), graph.number(cap));
            scores = graph.node("Mul", Map.of(), graph.node("Tanh", Map.of(), shares), graph.number(cap));
        }
        String weights = graph.node("Softmax", Map.of("axis", -1), graph.node("Add", Map.of(), scores, mask));
        return together(graph.node("MatMul", Map.of(), weights, values));
    }

    /** [batch, heads, sequence, headSize]. */
    private String heads(String x, int heads) {
        String apart = graph.node("Reshape", Map.of(), x, graph.integers(0, 0, heads, shape.headSize()));
        return graph.node("Transpose", SWAP, apart);
    }

    /** [batch, sequence, heads * headSize]. */
    private String together(String x) {
        return graph.node(
                "Reshape",
                Map.of(),
                graph.node("Transpose", SWAP, x),
                graph.integers(0, 0, (long) shape.heads() * shape.headSize()));
    }

    private String behindPast(String past, String x, String present) {
        graph.node(
                "",
                "Concat",
                present + "/Concat",
                Map.of("axis", 2),
                List.of(past, heads(x, shape.kvHeads())),
                List.of(present));
        return present;
    }

    /** As many heads as queries have, each key head's copies side by side. */
    private String repeated(String x) {
        int copies = shape.heads() / shape.kvHeads();
        if (copies == 1) {
            return x;
        }
        String apart = graph.node("Unsqueeze", Map.of(), x, graph.integers(2));
        String copied = graph.node("Expand", Map.of(), apart, graph.integers(1, 1, copies, 1, 1));
        return graph.node("Reshape", Map.of(), copied, graph.integers(0, shape.heads(), -1, shape.headSize()));
    }

    /** What is added to scores [batch, 1, sequence, total]: nothing for a token that is there and not hidden, much less than that else. */
    private String mask(OptionalInt window) {
        String total = size("attention_mask");
        String past = graph.node("Sub", Map.of(), total, size("input_ids"));
        String queries = graph.node("Unsqueeze", Map.of(), range(past, total), graph.integers(1));
        String keys = graph.node("Unsqueeze", Map.of(), range(graph.integer(0), total), graph.integers(0));
        String seen = graph.node("LessOrEqual", Map.of(), keys, queries);
        if (window.isPresent()) {
            String first = graph.node("Sub", Map.of(), queries, graph.integer(window.getAsInt()));
            seen = graph.node("And", Map.of(), seen, graph.node("Greater", Map.of(), keys, first));
        }
        String there = graph.node("Unsqueeze", Map.of(), cast("attention_mask", DataType.BOOL), graph.integers(1, 2));
        return graph.node(
                "Where",
                Map.of(),
                graph.node("And", Map.of(), seen, there),
                graph.number(0),
                graph.number(-Float.MAX_VALUE));
    }

    private String size(String input) {
        return graph.node("Gather", Map.of("axis", 0), graph.node("Shape", Map.of(), input), graph.integer(1));
    }

    private String range(String from, String to) {
        return graph.node("Range", Map.of(), from, to, graph.integer(1));
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
            if (i < 2 && !form.rotaryInside()) {
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
            int context = shape.contextLength();
            if (r.scaling() instanceof LongRope scaling && scaling.originalContext() < context) {
                // As onnxruntime-genai's Phi-3 has it: the choice is made anew in each run.
                int original = scaling.originalContext();
                String longer = graph.node("Greater", Map.of(), size("attention_mask"), graph.integer(original));
                graph.node(
                        "",
                        "If",
                        name + "/If",
                        Map.of("then_branch", branch("large", r, context), "else_branch", branch("small", r, original)),
                        List.of(longer),
                        List.of(name + ".cos", name + ".sin"));
            } else {
                graph.floats(name + ".cos", table(r, context, Math::cos), context, r.width() / 2);
                graph.floats(name + ".sin", table(r, context, Math::sin), context, r.width() / 2);
            }
            return name;
        });
    }

    private static GraphProto branch(String name, RotaryEmbedding rotary, int context) {
        ClassicGraph branch = new ClassicGraph("");
        branch.constantOutput("cos_cache_" + name, table(rotary, context, Math::cos), context, rotary.width() / 2);
        branch.constantOutput("sin_cache_" + name, table(rotary, context, Math::sin), context, rotary.width() / 2);
        return branch.proto().build();
    }

    /** [context, width / 2]. */
    private static float[] table(RotaryEmbedding rotary, int context, DoubleUnaryOperator function) {
        double[] frequencies = rotary.frequencies(context);
        float[] table = new float[context * frequencies.length];
        for (int i = 0; i < table.length; i++) {
            double angle = (double) (i / frequencies.length) * frequencies[i % frequencies.length];
            table[i] = (float) (rotary.magnitude() * function.applyAsDouble(angle));
        }
        return table;
    }

    private String cast(String x, DataType type) {
        return graph.node("Cast", Map.of("to", type.getNumber()), x);
    }
}
