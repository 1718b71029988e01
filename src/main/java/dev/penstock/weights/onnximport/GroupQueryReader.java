package dev.penstock.weights.onnximport;

import static dev.penstock.weights.onnximport.GraphImportException.quoted;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.penstock.weights.onnximport.Attention.Cache;
import dev.penstock.weights.onnximport.Attention.Rotary;
import java.util.List;
import java.util.Optional;

/**
 * com.microsoft.GroupQueryAttention (ContribOperators.md of ONNX Runtime): causal by definition, and by its own word over
 * as many tokens as attention_mask has ones.
 */
final class GroupQueryReader implements AttentionReader {
    private static final int PAST_KEY = 3;
    private static final int PAST_VALUE = 4;
    private static final int COS = 7;
    private static final int SIN = 8;
    private static final int POSITIONS = 9;
    private static final int BIAS = 10;
    private static final int SINK = 11;
    private static final int K_SCALE = 12;
    private static final int V_SCALE = 13;
    private static final int K_NORM = 15;

    @Override
    public Attention read(AttentionContext context, int index) {
        NodeProto node = context.node(index);
        int heads = context.heads(node, "num_heads");
        int kvHeads = context.heads(node, "kv_num_heads");
        context.requireGroups(node, heads, kvHeads);
        String positions = Graph.input(node, POSITIONS);
        if (!positions.isEmpty() && !positions.equals(context.facts().names().positionIds())) {
            throw GraphImportException.at(node, "it takes positions of its own from %s".formatted(quoted(positions)));
        }
        context.requireAbsent(node, BIAS, BIAS, "a bias of scores");
        context.requireAbsent(node, SINK, SINK, "a sink of scores");
        context.requireAbsent(node, K_SCALE, V_SCALE, "a quantised cache");
        context.requireAbsent(node, V_SCALE + 1, K_NORM, "norms of heads");
        context.requireInteger(node, "smooth_softmax", 0, 0L, -1L);
        context.requireInteger(node, "qk_output", 0, 0L);
        context.requireInteger(node, "kv_cache_bit_width", 0, 0L);
        context.requireInteger(node, "causal", 1, 1L);
        context.requireText(node, "k_quant_type", "NONE");
        context.requireText(node, "v_quant_type", "NONE");
        context.requireOneOutput(node);
        Cache cache = new Cache(Graph.input(node, PAST_KEY), Graph.input(node, PAST_VALUE));
        return new Attention(
                index,
                node.getOutput(0),
                inputs(node),
                cache,
                heads,
                kvHeads,
                context.headSize(node, cache, kvHeads),
                context.factor(node, "scale"),
                context.factor(node, "softcap"),
                window(node),
                rotary(node));
    }

    private static List<Heads> inputs(NodeProto node) {
        String key = Graph.input(node, 1);
        String value = Graph.input(node, 2);
        if (key.isEmpty() != value.isEmpty() || Graph.input(node, 0).isEmpty()) {
            throw GraphImportException.at(node, "it lacks a query, a key or a value");
        }
        Heads query = Heads.tokensFirst(node.getInput(0));
        return key.isEmpty() ? List.of(query) : List.of(query, Heads.tokensFirst(key), Heads.tokensFirst(value));
    }

    private static Optional<Integer> window(NodeProto node) {
        long window = Graph.integer(node, "local_window_size", -1);
        if (window < -1 || window == 0) {
            throw GraphImportException.at(node, "a window of %d tokens shows nothing".formatted(window));
        }
        return window == -1 || window > Integer.MAX_VALUE ? Optional.empty() : Optional.of((int) window);
    }

    private static Optional<Rotary> rotary(NodeProto node) {
        if (Graph.integer(node, "do_rotary", 0) == 0) {
            return Optional.empty();
        }
        String cos = Graph.input(node, COS);
        String sin = Graph.input(node, SIN);
        if (cos.isEmpty() || sin.isEmpty()) {
            throw GraphImportException.at(node, "it rotates, but lacks a table of cosines or sines");
        }
        return Optional.of(new Rotary(cos, sin, Graph.integer(node, "rotary_interleaved", 0) != 0));
    }
}
