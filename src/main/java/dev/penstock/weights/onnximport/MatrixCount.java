package dev.penstock.weights.onnximport;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.penstock.model.DecoderShape;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Counts the numbers of a graph's matrices. */
final class MatrixCount {
    private MatrixCount() {}

    /**
     * The width of a gated MLP that has, in each layer, as many weights as the graph's layers have beside attention: no file
     * tells it, and what a step costs is reckoned from it.
     */
    static int innerSize(DecoderShape shape, List<NodeProto> nodes, Map<String, TensorProto> constants) {
        Map<String, TensorProto> matrices = new HashMap<>(constants);
        double all = 0;
        for (NodeProto node : nodes) {
            // A tied head is the embedding table turned.
            if (node.getOpType().equals("Transpose") && constants.containsKey(Graph.input(node, 0))) {
                matrices.put(node.getOutput(0), constants.get(node.getInput(0)));
            }
            all += weights(node, matrices);
        }
        double hidden = shape.hiddenSize();
        double attention = 2.0 * hidden * shape.headSize() * (shape.heads() + shape.kvHeads());
        double left = all - shape.layers() * attention - hidden * shape.vocabSize();
        return (int) Math.max(1, Math.round(left / (3 * hidden * shape.layers())));
    }

    private static double weights(NodeProto node, Map<String, TensorProto> constants) {
        return switch (node.getOpType()) {
            case "MatMulNBits" -> (double) Graph.integer(node, "K", 0) * Graph.integer(node, "N", 0);
            case "MatMul", "MatMulInteger", "Gemm" -> {
                TensorProto matrix = constants.get(Graph.input(node, 1));
                yield matrix == null
                        ? 0
                        : matrix.getDimsList().stream()
                                .mapToDouble(Long::doubleValue)
                                .reduce(1, (a, b) -> a * b);
            }
            default -> 0;
        };
    }
}
