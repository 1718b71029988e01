package dev.penstock.weights;

import dev.penstock.onnx.GraphContract;
import dev.penstock.onnx.experts.PackedMatrices;
import dev.penstock.onnx.gemm.Activation;
import dev.penstock.onnx.gemm.PackedLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Matrices in panels of codes with 16-bit scales, for our own operators {@link GraphContract#PACKED_MATMUL} and
 * {@link GraphContract#PACKED_GATHER}, which share the bytes of a tied head.
 *
 * @param bits 4 or 8
 */
record PackedFormat(int bits) implements MatrixFormat {
    @Override
    public String multiply(OnnxGraph graph, InitializerTable constants, String x, String node, Matrix matrix) {
        return add(GraphContract.PACKED_MATMUL, graph, constants, x, node, matrix);
    }

    @Override
    public String lookUp(OnnxGraph graph, InitializerTable constants, String indices, String node, Matrix matrix) {
        return add(GraphContract.PACKED_GATHER, graph, constants, indices, node, matrix);
    }

    @Override
    public String multiplyGated(
            OnnxGraph graph,
            InitializerTable constants,
            String x,
            String node,
            Matrix gate,
            Matrix up,
            Activation activation) {
        PackedLayout layout = layout(gate);
        Map<String, Number> attributes = new HashMap<>(attributes(layout));
        attributes.put(GraphContract.ATTR_ACTIVATION, activation.ordinal());
        String weights = constants.packedPair(node + ".weight", gate.parts(), up.parts(), layout);
        return graph.node(
                GraphContract.DOMAIN, GraphContract.PACKED_GATED_MATMUL, node, List.of(x, weights), attributes);
    }

    /**
     * {@inheritDoc}
     *
     * <p>Experts whose matrices do not fill whole panels are stored in blocks.
     */
    @Override
    public String experts(
            OnnxGraph graph, InitializerTable constants, String x, String logits, String node, ExpertWeights weights) {
        if (!PackedMatrices.canPack(weights.gate().columns(), weights.down().columns())) {
            return new BlockFormat(bits).experts(graph, constants, x, logits, node, weights);
        }
        List<String> inputs = new ArrayList<>(List.of(x, logits));
        for (Matrix matrix : List.of(weights.gate(), weights.up(), weights.down())) {
            PackedLayout layout = new PackedLayout(matrix.rows(), matrix.columns(), bits);
            inputs.add(constants.packed(matrix.name(), matrix.parts(), layout));
        }
        return graph.node(GraphContract.DOMAIN, GraphContract.PACKED_EXPERTS, node, inputs, weights.attributes(bits));
    }

    private String add(
            String type, OnnxGraph graph, InitializerTable constants, String input, String node, Matrix matrix) {
        PackedLayout layout = layout(matrix);
        String weight = constants.packed(matrix.name(), matrix.parts(), layout);
        return graph.node(GraphContract.DOMAIN, type, node, List.of(input, weight), attributes(layout));
    }

    private PackedLayout layout(Matrix matrix) {
        return new PackedLayout(matrix.rows(), matrix.columns(), bits);
    }

    private static Map<String, Number> attributes(PackedLayout layout) {
        return Map.of(
                GraphContract.ATTR_OUTPUTS,
                layout.outputs(),
                GraphContract.ATTR_INPUTS,
                layout.inputs(),
                GraphContract.ATTR_BITS,
                layout.bits());
    }
}
