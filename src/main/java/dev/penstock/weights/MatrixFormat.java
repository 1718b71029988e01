package dev.penstock.weights;

import static dev.penstock.weights.OnnxGraph.MICROSOFT;
import static dev.penstock.weights.OnnxGraph.ONNX;

import dev.penstock.onnx.GraphContract;
import dev.penstock.onnx.gemm.Activation;
import dev.penstock.weights.InitializerTable.Part;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How matrices are stored in a variant, and the nodes that compute with them. A decoder's graph is the same in all
 * formats otherwise.
 */
interface MatrixFormat {
    /**
     * A matrix W of the model.
     *
     * @param name its name in the graph; the same matrix under the same name is stored once
     * @param parts the tensors whose rows it is made of
     * @param columns numbers of a row
     */
    record Matrix(String name, List<Part> parts, int columns) {
        /** Rows of all parts. */
        int rows() {
            return parts.stream().mapToInt(Part::rows).reduce(0, Math::addExact);
        }
    }

    /**
     * The matrices of a layer of experts, one expert's after the other's, and what is computed with them.
     *
     * @param gate [experts * inner, hidden]
     * @param up likewise
     * @param down [experts * hidden, inner]
     * @param attributes those of {@link GraphContract#EXPERTS}, bits left out
     */
    record ExpertWeights(Matrix gate, Matrix up, Matrix down, Map<String, Number> attributes) {
        /** The attributes with a number of bits. */
        Map<String, Number> attributes(int bits) {
            Map<String, Number> all = new HashMap<>(attributes);
            all.put(GraphContract.ATTR_BITS, bits);
            return all;
        }
    }

    /** The format of quantised matrices in a layout; {@code bits} is 4 or 8. */
    static MatrixFormat quantized(WeightLayout layout, int bits) {
        return switch (layout) {
            case STANDARD, CUDA -> new BlockFormat(bits);
            case PACKED -> new PackedFormat(bits);
        };
    }

    /**
     * Adds the product of {@code x}, [n, columns], and the transpose of W.
     *
     * @param node name of the output, [n, rows]
     * @return {@code node}
     */
    String multiply(OnnxGraph graph, InitializerTable constants, String x, String node, Matrix matrix);

    /**
     * Adds the first half of a gated MLP: activation(x times the transpose of the gate) times x times the transpose of up.
     *
     * @param node name of the output, [n, rows]
     * @return {@code node}
     */
    default String multiplyGated(
            OnnxGraph graph,
            InitializerTable constants,
            String x,
            String node,
            Matrix gate,
            Matrix up,
            Activation activation) {
        String gated = multiply(graph, constants, x, node + ".gate", gate);
        String factor = multiply(graph, constants, x, node + ".up", up);
        String activated = switch (activation) {
            // x * sigmoid(alpha * x) with alpha 1 is SiLU.
            case SILU -> graph.node(MICROSOFT, "QuickGelu", node + ".activation", List.of(gated), Map.of("alpha", 1f));
            case GELU_TANH -> graph.node(MICROSOFT, "FastGelu", node + ".activation", List.of(gated), Map.of());
        };
        return graph.node(ONNX, "Mul", node, List.of(activated, factor), Map.of());
    }

    /**
     * Adds a look-up of rows of W as numbers.
     *
     * @param indices name of an int64 vector, [n]
     * @param node name of the output or a part of its name
     * @return name of the output, [n, columns]
     */
    String lookUp(OnnxGraph graph, InitializerTable constants, String indices, String node, Matrix matrix);

    /**
     * Adds a layer of experts.
     *
     * @param logits name of the router's logits, [n, experts]
     * @param node name of the output, [n, hidden]
     * @return {@code node}
     */
    String experts(
            OnnxGraph graph, InitializerTable constants, String x, String logits, String node, ExpertWeights weights);
}
