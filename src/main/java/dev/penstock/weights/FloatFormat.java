package dev.penstock.weights;

import java.util.List;
import java.util.Map;

/** Matrices as 32-bit floats, row by row as a checkpoint has them: Gemm transposes as it packs. */
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
}
