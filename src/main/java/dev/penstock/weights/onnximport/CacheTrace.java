package dev.penstock.weights.onnximport;

import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.Optional;
import java.util.Set;

/**
 * Keys or values where the graph itself puts new ones behind the past: a Concat of an input of the graph and what the
 * step adds, both [batch, kvHeads, tokens, headSize], then what only moves, repeats or scales numbers.
 *
 * @param cache the graph's input
 * @param added what the step adds, [1, kvHeads, T, headSize]
 * @param factor what all numbers are multiplied by afterwards
 */
record CacheTrace(String cache, Heads added, double factor) {
    private static final Set<String> MOVES =
            Set.of("Cast", "Expand", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze");

    /** Longer ways than any that repeats heads and turns keys. */
    private static final int MAX_STEPS = 16;

    private static final int TOKEN_AXIS = 2;
    private static final int RANK = 4;

    /** Where a value comes from, if it is from a cache. */
    static Optional<CacheTrace> of(Graph graph, Scalars scalars, String value) {
        double factor = 1;
        String at = value;
        for (int step = 0; step < MAX_STEPS; step++) {
            Optional<NodeProto> producer = graph.producer(at).filter(n -> Operators.isStandard(n.getDomain()));
            if (producer.isEmpty()) {
                return Optional.empty();
            }
            NodeProto node = producer.get();
            if (node.getOpType().equals("Concat")) {
                return concatenated(graph, node, factor);
            }
            if (node.getOpType().equals("Mul")) {
                Optional<Scalars.Product> product = scalars.product(node);
                if (product.isEmpty()) {
                    return Optional.empty();
                }
                factor *= product.get().factor();
                at = product.get().value();
            } else if (MOVES.contains(node.getOpType())) {
                requireNeighbours(graph, node);
                at = node.getInput(0);
            } else {
                return Optional.empty();
            }
        }
        return Optional.empty();
    }

    private static Optional<CacheTrace> concatenated(Graph graph, NodeProto node, double factor) {
        long axis = Graph.integer(node, "axis", 0);
        if (node.getInputCount() != 2 || (axis != TOKEN_AXIS && axis != TOKEN_AXIS - RANK)) {
            return Optional.empty();
        }
        String cache = itself(graph, node.getInput(0));
        if (!graph.inputs().containsKey(cache)) {
            return Optional.empty();
        }
        return Optional.of(new CacheTrace(cache, Heads.headsFirst(node.getInput(1)), factor));
    }

    /** What a value is another name of: a Concat of one is. */
    private static String itself(Graph graph, String value) {
        return graph.producer(value)
                .filter(n ->
                        n.getOpType().equals("Identity") || n.getOpType().equals("Concat") && n.getInputCount() == 1)
                .map(n -> n.getInput(0))
                .orElse(value);
    }

    /** Copies of a head must come next to it, so that neighbouring query heads share it: a new axis behind the heads. */
    private static void requireNeighbours(Graph graph, NodeProto node) {
        if (node.getOpType().equals("Unsqueeze")) {
            Optional<Long> axis = Tensors.oneInteger(graph.constants().get(Graph.input(node, 1)));
            if (axis.isPresent() && axis.get() != TOKEN_AXIS && axis.get() != TOKEN_AXIS - RANK - 1) {
                throw GraphImportException.at(
                        node, "it repeats keys or values along axis %d, which is not understood".formatted(axis.get()));
            }
        }
    }
}
