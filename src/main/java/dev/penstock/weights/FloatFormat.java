package dev.penstock.weights;

import dev.penstock.onnx.GraphContract;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Matrices as numbers, row by row as a checkpoint has them: Gemm transposes as it packs. */
record FloatFormat() implements MatrixFormat {
    @Override
    public String multiply(OnnxGraph graph, InitializerTable constants, String x, String node, Matrix matrix) {
        String weight = constants.floats(matrix.name(), matrix.parts(), matrix.columns());
        return graph.node(OnnxGraph.ONNX, "Gemm", node, List.of(x, weight), Map.of("transB", 1));
    }

    @Override
    public String lookUp(OnnxGraph graph, InitializerTable constants, String indices, String node, Matrix matrix) {
        String weight = constants.floats(matrix.name(), matrix.parts(), matrix.columns());
        return graph.node(OnnxGraph.ONNX, "Gather", node, List.of(weight, indices), Map.of("axis", 0));
    }

    @Override
    public String experts(
            OnnxGraph graph, InitializerTable constants, String x, String logits, String node, ExpertWeights weights) {
        List<String> inputs = new ArrayList<>(List.of(x, logits));
        for (Matrix matrix : List.of(weights.gate(), weights.up(), weights.down())) {
            inputs.add(constants.floats(matrix.name(), matrix.parts(), matrix.columns()));
        }
        return graph.node(GraphContract.DOMAIN, GraphContract.EXPERTS, node, inputs, weights.attributes(Float.SIZE));
    }
}
