package dev.penstock.weights.onnximport;

import static dev.penstock.weights.onnximport.GraphImportException.quoted;

import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Finds a graph's attention, layer by layer. */
final class AttentionFinder {
    private static final Map<String, AttentionReader> MICROSOFT = Map.of("GroupQueryAttention", new GroupQueryReader());

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
        for (int n = 0; n < context.graph().nodes().size(); n++) {
            int index = n;
            reader(context.node(n)).ifPresent(r -> found.add(r.read(context, index)));
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
                    "no attention with a cache was found: expected nodes of GroupQueryAttention");
        }
        return found;
    }

    private static Optional<AttentionReader> reader(NodeProto node) {
        if (node.getDomain().equals(Operators.MICROSOFT)) {
            return Optional.ofNullable(MICROSOFT.get(node.getOpType()));
        }
        return Optional.empty();
    }
}
