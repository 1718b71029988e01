package dev.penstock.weights.onnximport;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.penstock.weights.onnximport.Attention.Cache;
import java.util.List;
import java.util.Optional;

/**
 * com.microsoft.MultiHeadAttention (ContribOperators.md of ONNX Runtime), with its cache inside, or with keys and values
 * that the graph has put behind the past and repeated. Its mask must be causal.
 */
final class MultiHeadReader implements AttentionReader {
    private static final int BIAS = 3;
    private static final int MASK = 5;
    private static final int PAST_KEY = 6;
    private static final int PAST_VALUE = 7;
    private static final int LAST = 9;

    @Override
    public Attention read(AttentionContext context, int index) {
        NodeProto node = context.node(index);
        int heads = context.heads(node, "num_heads");
        context.requireAbsent(node, BIAS, BIAS, "a bias of query, key and value");
        context.requireAbsent(node, PAST_VALUE + 1, LAST, "a cache that is shared or reordered");
        String query = Graph.input(node, 0);
        String key = Graph.input(node, 1);
        String value = Graph.input(node, 2);
        if (query.isEmpty() || key.isEmpty() || value.isEmpty()) {
            throw GraphImportException.at(
                    node, "its query, key and value are packed head by head, which is not supported");
        }
        context.requireOneOutput(node);
        String mask = Graph.input(node, MASK);
        boolean causal = Graph.integer(node, "unidirectional", 0) != 0;
        if (!causal && mask.isEmpty()) {
            throw GraphImportException.at(node, "it is not causal");
        }
        Optional<Integer> window =
                mask.isEmpty() ? Optional.empty() : context.masks().window(node, mask);
        KeysAndValues stored = context.keysAndValues(
                node,
                new Cache(Graph.input(node, PAST_KEY), Graph.input(node, PAST_VALUE)),
                Heads.tokensFirst(key),
                Heads.tokensFirst(value),
                heads);
        context.requireGroups(node, heads, stored.heads());
        return new Attention(
                index,
                node.getOutput(0),
                List.of(Heads.tokensFirst(query), stored.key(), stored.value()),
                stored.cache(),
                heads,
                stored.heads(),
                stored.headSize(),
                context.factor(node, "scale"),
                0,
                window,
                Optional.empty());
    }
}
