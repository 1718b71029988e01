package dev.penstock.weights.onnximport;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.penstock.weights.onnximport.Attention.Cache;
import java.util.List;
import java.util.Optional;

/**
 * Attention of the ONNX standard, opset 23 (Operators.md of ONNX), with its cache inside or outside. Three dimensions go
 * with numbers of heads among its attributes, four without.
 */
final class StandardReader implements AttentionReader {
    private static final int MASK = 3;
    private static final int PAST_KEY = 4;
    private static final int PAST_VALUE = 5;
    private static final int LENGTHS = 6;

    @Override
    public Attention read(AttentionContext context, int index) {
        NodeProto node = context.node(index);
        boolean flat = Graph.attribute(node, "q_num_heads") != null;
        int heads = flat ? context.heads(node, "q_num_heads") : context.facts().heads();
        int kvHeads = flat
                ? context.heads(node, "kv_num_heads")
                : context.declaredHeads(Graph.input(node, PAST_KEY)).orElse(heads);
        context.requireAbsent(node, LENGTHS, LENGTHS, "lengths of its own");
        if (node.getInputCount() < MASK) {
            throw GraphImportException.at(node, "it lacks a query, a key or a value");
        }
        context.requireOneOutput(node);
        String mask = Graph.input(node, MASK);
        if (Graph.integer(node, "is_causal", 0) == 0 && mask.isEmpty()) {
            throw GraphImportException.at(node, "it is not causal");
        }
        Optional<Integer> window =
                mask.isEmpty() ? Optional.empty() : context.masks().window(node, mask);
        Heads.Layout layout = flat ? Heads.Layout.TOKENS_FIRST : Heads.Layout.HEADS_FIRST;
        KeysAndValues stored = context.keysAndValues(
                node,
                new Cache(Graph.input(node, PAST_KEY), Graph.input(node, PAST_VALUE)),
                new Heads(node.getInput(1), layout),
                new Heads(node.getInput(2), layout),
                kvHeads);
        context.requireGroups(node, heads, stored.heads());
        return new Attention(
                index,
                node.getOutput(0),
                List.of(new Heads(node.getInput(0), layout), stored.key(), stored.value()),
                stored.cache(),
                heads,
                stored.heads(),
                stored.headSize(),
                context.factor(node, "scale"),
                context.factor(node, "softcap"),
                window,
                Optional.empty());
    }
}
