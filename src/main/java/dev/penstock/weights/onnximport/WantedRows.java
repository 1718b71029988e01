package dev.penstock.weights.onnximport;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.penstock.onnx.GraphContract;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Takes the rows whose logits are wanted as early as the graph allows: after the last attention, where all that follows
 * computes each token by itself; else before the head's matrix; else from the logits.
 */
final class WantedRows {
    /** Operators that compute each token by itself in a tensor [1, T, ...], whatever their constants. */
    private static final Set<String> BY_TOKEN = Set.of(
            "Add",
            "BiasGelu",
            "Cast",
            "Div",
            "Erf",
            "FastGelu",
            "Gelu",
            "Identity",
            "LayerNormalization",
            "MatMul",
            "MatMulNBits",
            "MoE",
            "Mul",
            "Neg",
            "QMoE",
            "QuickGelu",
            "RMSNormalization",
            "Relu",
            "Sigmoid",
            "SimplifiedLayerNormalization",
            "SkipLayerNormalization",
            "SkipSimplifiedLayerNormalization",
            "Sqrt",
            "Sub",
            "Swish",
            "Tanh");

    /** Operators whose result is what one layer hands to the next. */
    private static final Set<String> RESIDUAL = Set.of(
            "Add",
            "LayerNormalization",
            "RMSNormalization",
            "SimplifiedLayerNormalization",
            "SkipLayerNormalization",
            "SkipSimplifiedLayerNormalization");

    private static final Set<String> MATRICES = Set.of("MatMul", "MatMulNBits", "MatMulInteger", "Gemm");

    /** What may stand between a matrix of codes and the numbers that it multiplies. */
    private static final Set<String> BEFORE_MATRIX = Set.of("Cast", "DynamicQuantizeLinear");

    private final Graph graph;
    private final Nodes nodes;
    private final String logits;

    private WantedRows(Graph graph, Nodes nodes, String logits) {
        this.graph = graph;
        this.nodes = nodes;
        this.logits = logits;
    }

    /** Nodes, and the value of theirs that is [1, R, vocabSize]. */
    record Result(List<NodeProto> nodes, String logits) {}

    /**
     * Adds what takes them.
     *
     * @param attention the value that the last attention makes
     * @param logits the value [1, T, vocabSize]
     */
    static Result take(Graph graph, Nodes nodes, String attention, String logits) {
        WantedRows rows = new WantedRows(graph, nodes, logits);
        return rows.afterAttention(attention).or(rows::beforeHead).orElseGet(rows::ofLogits);
    }

    private Optional<Result> afterAttention(String attention) {
        Set<Integer> after = graph.downstream(attention);
        Map<String, String> wanted = new HashMap<>();
        for (int n : after) {
            NodeProto node = graph.nodes().get(n);
            if (!BY_TOKEN.contains(node.getOpType())) {
                return Optional.empty();
            }
            for (String value : Graph.values(node)) {
                Optional<Integer> producer = graph.producerIndex(value);
                if (producer.isEmpty() || after.contains(producer.get())) {
                    continue; // a constant, or of wanted rows already
                }
                if (!value.equals(attention)
                        && !RESIDUAL.contains(graph.nodes().get(producer.get()).getOpType())) {
                    return Optional.empty();
                }
                wanted.put(value, value);
            }
        }
        return Optional.of(new Result(gathered(wanted.keySet(), after), logits));
    }

    private Optional<Result> beforeHead() {
        List<Integer> upstream = List.copyOf(graph.upstream(logits, -1));
        for (int n : upstream.reversed()) {
            NodeProto node = graph.nodes().get(n);
            if (!MATRICES.contains(node.getOpType())) {
                continue;
            }
            String value = node.getInput(0);
            Optional<Integer> producer = graph.producerIndex(value);
            while (producer.isPresent()
                    && BEFORE_MATRIX.contains(graph.nodes().get(producer.get()).getOpType())) {
                value = graph.nodes().get(producer.get()).getInput(0);
                producer = graph.producerIndex(value);
            }
            // The logits must hang on this value alone, or rows of one count would meet rows of another.
            if (producer.isEmpty() || hangOnTokens(producer.get())) {
                return Optional.empty();
            }
            return Optional.of(new Result(gathered(Set.of(value), graph.downstream(value)), logits));
        }
        return Optional.empty();
    }

    /** Whether logits depend on the step's tokens by another way than through this node. */
    private boolean hangOnTokens(int node) {
        return graph.upstream(logits, node).stream()
                .anyMatch(n -> Graph.values(graph.nodes().get(n)).contains(GraphContract.INPUT_IDS));
    }

    private Result ofLogits() {
        List<NodeProto> all = new ArrayList<>(graph.nodes());
        Nodes added = nodes.beside();
        String rows = gather(added, logits);
        all.addAll(added.list());
        return new Result(all, rows);
    }

    /** All nodes, of which {@code after} read the wanted rows of these values in place of all. */
    private List<NodeProto> gathered(Set<String> values, Set<Integer> after) {
        Map<String, String> names = new HashMap<>();
        List<NodeProto> all = new ArrayList<>();
        for (int n = 0; n < graph.nodes().size(); n++) {
            NodeProto node = graph.nodes().get(n);
            all.add(after.contains(n) ? Renaming.inputs(node, names) : node);
            for (String output : node.getOutputList()) {
                if (values.contains(output)) {
                    Nodes added = nodes.beside();
                    names.put(output, gather(added, output));
                    all.addAll(added.list());
                }
            }
        }
        return all;
    }

    private static String gather(Nodes added, String value) {
        return added.add(
                "Gather",
                Nodes.PREFIX + "wanted." + value,
                List.of(value, GraphContract.LOGIT_ROWS),
                Nodes.attribute("axis", 1));
    }
}
