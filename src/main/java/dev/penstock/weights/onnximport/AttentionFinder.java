package dev.penstock.weights.onnximport;

import static dev.penstock.weights.onnximport.GraphImportException.quoted;

import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Finds a graph's attention, layer by layer. */
final class AttentionFinder {
    private static final Map<String, AttentionReader> MICROSOFT =
            Map.of("GroupQueryAttention", new GroupQueryReader(), "MultiHeadAttention", new MultiHeadReader());

    private static final Map<String, AttentionReader> STANDARD = Map.of("Attention", new StandardReader());

    private final AttentionContext context;

    /** In a graph. */
    AttentionFinder(AttentionContext context) {
        this.context = context;
    }

    /**
     * All attention nodes, in order of execution.
     *
     * @throws GraphImportException there are none, one can't be paged, or two share a cache
     */
    List<Attention> find() {
        List<Attention> found = new ArrayList<>();
        DecomposedReader decomposed = new DecomposedReader(context);
        for (int n = 0; n < context.graph().nodes().size(); n++) {
            NodeProto node = context.node(n);
            AttentionReader reader = reader(node);
            if (reader != null) {
                found.add(reader.read(context, n));
            } else if (DecomposedReader.isSoftmax(node)) {
                decomposed.read(n).ifPresent(found::add);
            }
        }
        Map<String, Attention> caches = new HashMap<>();
        for (Attention attention : found) {
            for (String cache :
                    List.of(attention.cache().key(), attention.cache().value())) {
                if (caches.put(cache, attention) != null) {
                    throw GraphImportException.at(
                            context.node(attention.node()),
                            "its cache %s is used twice: only a cache for each layer can be paged"
                                    .formatted(quoted(cache)));
                }
            }
        }
        if (found.isEmpty()) {
            throw new GraphImportException(
                    "no attention with a cache was found: expected nodes of GroupQueryAttention, MultiHeadAttention or Attention, or the operators that these stand for");
        }
        return found;
    }

    private static @Nullable AttentionReader reader(NodeProto node) {
        if (Operators.isStandard(node.getDomain())) {
            return STANDARD.get(node.getOpType());
        }
        return node.getDomain().equals(Operators.MICROSOFT) ? MICROSOFT.get(node.getOpType()) : null;
    }
}
