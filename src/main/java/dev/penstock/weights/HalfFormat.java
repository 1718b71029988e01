package dev.penstock.weights;

import dev.penstock.onnx.GraphContract;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Matrices as 16-bit floats for CUDA: as {@link FloatFormat} has them, and experts for com.microsoft.MoE, since ours run on
 * the CPU only.
 */
record HalfFormat() implements MatrixFormat {
    private static final FloatFormat DENSE = new FloatFormat();

    /** SwiGLU there is {@code gate * sigmoid(alpha * gate) * (up + beta)}; by default alpha and beta are other ones. */
    private static final Map<String, Object> SILU =
            Map.of("activation_type", "swiglu", "activation_alpha", 1f, "activation_beta", 0f, "swiglu_fusion", 1);

    @Override
    public String multiply(OnnxGraph graph, InitializerTable constants, String x, String node, Matrix matrix) {
        return DENSE.multiply(graph, constants, x, node, matrix);
    }

    @Override
    public String lookUp(OnnxGraph graph, InitializerTable constants, String indices, String node, Matrix matrix) {
        return DENSE.lookUp(graph, constants, indices, node, matrix);
    }

    /**
     * {@inheritDoc}
     *
     * <p>The operator wants gate and up as one matrix for each expert, their rows in turn. It knows no gated GELU
     * ({@link CudaLimits}).
     */
    @Override
    public String experts(
            OnnxGraph graph, InitializerTable constants, String x, String logits, String node, ExpertWeights weights) {
        Map<String, Number> known = weights.attributes();
        Map<String, Object> attributes = new HashMap<>(SILU);
        for (String shared : List.of(GraphContract.ATTR_CHOSEN, GraphContract.ATTR_RENORMALISED)) {
            attributes.put(shared, number(known, shared));
        }
        int experts = number(known, GraphContract.ATTR_EXPERTS);
        Matrix gate = weights.gate();
        Matrix down = weights.down();
        String in = constants.interleaved(
                node + ".gate_up", gate.parts(), weights.up().parts(), gate.columns());
        String out = constants.floats(down.name(), down.parts(), down.columns());
        return graph.node(
                OnnxGraph.MICROSOFT,
                "MoE",
                node,
                List.of(
                        x,
                        logits,
                        constants.alias(in, in + ".experts", experts, 2L * gate.rows() / experts, gate.columns()),
                        OnnxGraph.ABSENT,
                        constants.alias(out, out + ".experts", experts, down.rows() / experts, down.columns())),
                attributes);
    }

    private static int number(Map<String, Number> attributes, String name) {
        return Objects.requireNonNull(attributes.get(name)).intValue();
    }
}
