package dev.penstock.weights.onnximport;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.penstock.weights.onnximport.Attention.Cache;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Attention as single operators, as PyTorch's exporters write it: a Softmax of masked, scaled products of queries and cached
 * keys, times cached values.
 */
final class DecomposedReader {
    /** What may stand between the softmax and its product with the values: casts, and a guard against rows without keys. */
    private static final Set<String> AFTER_SOFTMAX = Set.of("Cast", "Dropout", "Identity", "IsNaN", "Where");

    private static final int MAX_STEPS = 16;

    private final AttentionContext context;
    private final Graph graph;

    DecomposedReader(AttentionContext context) {
        this.context = context;
        this.graph = context.graph();
    }

    /**
     * Products of queries and keys, and what becomes of them before the softmax.
     *
     * @param query [1, heads, T, headSize]
     * @param keys the keys
     * @param scale factor of the products
     * @param softcap cap after that, 0 for none
     * @param mask what is added to them, or true where they count; null for none
     */
    private record Scores(
            String query,
            CacheTrace keys,
            double scale,
            double softcap,
            @Nullable String mask) {
        Scores times(double factor) {
            return new Scores(query, keys, scale * factor, softcap, mask);
        }

        Scores capped(double cap) {
            return new Scores(query, keys, scale, cap, mask);
        }

        Scores masked(String by) {
            return new Scores(query, keys, scale, softcap, by);
        }
    }

    /** The attention around a Softmax; empty where it is another kind of softmax, such as that of a router. */
    Optional<Attention> read(int index) {
        NodeProto softmax = context.node(index);
        Optional<Integer> product = product(softmax.getOutput(0));
        if (product.isEmpty()) {
            return Optional.empty();
        }
        NodeProto node = context.node(product.get());
        Scalars unknownWidth = new Scalars(graph, 1);
        Optional<CacheTrace> traced = CacheTrace.of(graph, unknownWidth, node.getInput(1));
        if (traced.isEmpty()) {
            return Optional.empty();
        }
        CacheTrace values = traced.get();
        int kvHeads = context.declaredHeads(values.cache())
                .orElseThrow(
                        () -> GraphImportException.at(node, "the graph does not tell how many heads its cache has"));
        int headSize = context.headSize(node, new Cache(values.cache(), values.cache()), kvHeads);
        Scores scores = scores(softmax.getInput(0), new Scalars(graph, headSize), 0)
                .orElseThrow(() -> GraphImportException.at(
                        softmax,
                        "it looks like attention, but what it takes are not scaled products with cached keys"));
        if (scores.mask() == null) {
            throw GraphImportException.at(softmax, "it has no mask, so it is not causal");
        }
        if (values.factor() != 1) {
            throw GraphImportException.at(node, "its values are scaled, which is not supported");
        }
        Cache cache = new Cache(scores.keys().cache(), values.cache());
        context.headSize(node, cache, kvHeads);
        int heads = context.facts().heads();
        context.requireGroups(node, heads, kvHeads);
        return Optional.of(new Attention(
                product.get(),
                node.getOutput(0),
                List.of(Heads.headsFirst(scores.query()), scores.keys().added(), values.added()),
                cache,
                heads,
                kvHeads,
                headSize,
                (float) (scores.scale() * scores.keys().factor()),
                (float) scores.softcap(),
                context.masks().window(softmax, scores.mask()),
                Optional.empty()));
    }

    /** The number of the MatMul that weights values by a softmax. */
    private Optional<Integer> product(String weights) {
        String at = weights;
        for (int step = 0; step < MAX_STEPS; step++) {
            @Nullable String next = null;
            for (int reader : graph.readers(at)) {
                NodeProto node = context.node(reader);
                if (node.getOpType().equals("MatMul") && node.getInput(0).equals(at)) {
                    return Optional.of(reader);
                }
                // Of a guard the node to follow is the one that chooses.
                if (AFTER_SOFTMAX.contains(node.getOpType())
                        && (next == null || node.getOpType().equals("Where"))) {
                    next = node.getOutput(0);
                }
            }
            if (next == null) {
                return Optional.empty();
            }
            at = next;
        }
        return Optional.empty();
    }

    private Optional<Scores> scores(String value, Scalars scalars, int depth) {
        Optional<NodeProto> producer = graph.producer(value).filter(n -> Operators.isStandard(n.getDomain()));
        if (producer.isEmpty() || depth > MAX_STEPS) {
            return Optional.empty();
        }
        NodeProto node = producer.get();
        return switch (node.getOpType()) {
            case "Cast", "Identity" -> scores(node.getInput(0), scalars, depth + 1);
            case "Add" ->
                scores(node.getInput(0), scalars, depth + 1)
                        .map(s -> masked(node, s, node.getInput(1)))
                        .or(() -> scores(node.getInput(1), scalars, depth + 1)
                                .map(s -> masked(node, s, node.getInput(0))));
            case "Where" ->
                scalars.number(node.getInput(2)).orElse(0) > Masks.HIDDEN
                        ? Optional.empty()
                        : scores(node.getInput(1), scalars, depth + 1).map(s -> masked(node, s, node.getInput(0)));
            case "Mul", "Div" ->
                scalars.product(node)
                        .flatMap(p -> capped(node, p, scalars, depth)
                                .or(() -> scores(p.value(), scalars, depth + 1).map(s -> scaled(node, s, p.factor()))));
            case "MatMul" -> products(node, scalars);
            default -> Optional.empty();
        };
    }

    private static Scores masked(NodeProto node, Scores scores, String mask) {
        if (scores.mask() != null) {
            throw GraphImportException.at(node, "scores are masked twice, which is not supported");
        }
        return scores.masked(mask);
    }

    private static Scores scaled(NodeProto node, Scores scores, double factor) {
        if (scores.softcap() != 0 || scores.mask() != null) {
            throw GraphImportException.at(node, "scores are scaled after a cap or a mask, which is not supported");
        }
        return scores.times(factor);
    }

    /** {@code cap * tanh(scores / cap)}. */
    private Optional<Scores> capped(NodeProto node, Scalars.Product product, Scalars scalars, int depth) {
        return graph.producer(product.value(), "Tanh")
                .flatMap(tanh -> graph.producer(tanh.getInput(0)).flatMap(scalars::product))
                .flatMap(shares -> scores(shares.value(), scalars, depth + 1).map(s -> {
                    if (Math.abs(shares.factor() * product.factor() - 1) > 1e-5) {
                        throw GraphImportException.at(node, "scores are capped by two different numbers");
                    }
                    return s.capped(product.factor());
                }));
    }

    private Optional<Scores> products(NodeProto node, Scalars scalars) {
        Optional<CacheTrace> keys = CacheTrace.of(graph, scalars, node.getInput(1));
        double factor = 1;
        String query = node.getInput(0);
        Optional<Scalars.Product> product = graph.producer(query).flatMap(scalars::product);
        if (product.isPresent()) {
            factor = product.get().factor();
            query = product.get().value();
        }
        String scaledQuery = query;
        double queryFactor = factor;
        return keys.map(k -> new Scores(scaledQuery, k, queryFactor, 0, null));
    }

    /** Whether a node may be the softmax of attention. */
    static boolean isSoftmax(NodeProto node) {
        long axis = Graph.integer(node, "axis", -1);
        return node.getOpType().equals("Softmax")
                && Operators.isStandard(node.getDomain())
                && (axis == -1 || axis == 3);
    }
}
