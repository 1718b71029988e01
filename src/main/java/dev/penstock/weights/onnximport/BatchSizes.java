package dev.penstock.weights.onnximport;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.util.List;
import java.util.Optional;

/**
 * Nodes that ask an input of the graph how many rows the batch has. Exporters ask whichever input comes to hand, a cache or
 * the mask among them; where tokens are packed the answer is one.
 */
record BatchSizes(Graph graph) {
    /** The answer, under the name of the node's output; empty for a node that asks for something else. */
    Optional<TensorProto> of(NodeProto node) {
        if (node.getOutputCount() != 1 || !Operators.isStandard(node.getDomain())) {
            return Optional.empty();
        }
        String output = node.getOutput(0);
        if (isShapeOfInput(node)
                && Graph.integer(node, "start", 0) == 0
                && Graph.integer(node, "end", Long.MAX_VALUE) == 1) {
            return Optional.of(Tensors.integers(output, List.of(1L)));
        }
        TensorProto index = graph.constants().get(Graph.input(node, 1));
        boolean first = node.getOpType().equals("Gather")
                && Tensors.oneInteger(index).filter(i -> i == 0).isPresent()
                && graph.producer(node.getInput(0), "Shape")
                        .filter(this::isShapeOfInput)
                        .filter(n -> Graph.integer(n, "start", 0) == 0)
                        .isPresent();
        if (index == null || !first) {
            return Optional.empty();
        }
        return Optional.of(
                index.getDimsCount() == 0 ? Tensors.integer(output, 1) : Tensors.integers(output, List.of(1L)));
    }

    private boolean isShapeOfInput(NodeProto node) {
        return node.getOpType().equals("Shape") && graph.inputs().containsKey(Graph.input(node, 0));
    }
}
