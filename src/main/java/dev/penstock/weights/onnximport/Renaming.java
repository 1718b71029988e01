package dev.penstock.weights.onnximport;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.Map;

/** Nodes that read the same values under other names. */
final class Renaming {
    private Renaming() {}

    /** A node whose inputs, those of its inner graphs among them, are renamed. */
    static NodeProto inputs(NodeProto node, Map<String, String> names) {
        if (Graph.values(node).stream().noneMatch(names::containsKey)) {
            return node;
        }
        NodeProto.Builder renamed = node.toBuilder();
        for (int i = 0; i < node.getInputCount(); i++) {
            renamed.setInput(i, names.getOrDefault(node.getInput(i), node.getInput(i)));
        }
        for (int i = 0; i < node.getAttributeCount(); i++) {
            AttributeProto.Builder attribute = renamed.getAttributeBuilder(i);
            if (attribute.hasG()) {
                attribute.setG(inner(attribute.getG(), names));
            }
            for (int g = 0; g < attribute.getGraphsCount(); g++) {
                attribute.setGraphs(g, inner(attribute.getGraphs(g), names));
            }
        }
        return renamed.build();
    }

    private static GraphProto inner(GraphProto graph, Map<String, String> names) {
        GraphProto.Builder renamed = graph.toBuilder();
        for (int n = 0; n < graph.getNodeCount(); n++) {
            renamed.setNode(n, inputs(graph.getNode(n), names));
        }
        return renamed.build();
    }
}
