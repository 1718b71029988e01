package dev.penstock.weights;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import dev.penstock.onnx.GraphContract;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The nodes of a graph under construction, in order of execution. */
final class OnnxGraph {
    /** Standard operators, and those that ONNX Runtime registers among them, such as SimplifiedLayerNormalization. */
    static final String ONNX = "";

    /** Operators of ONNX Runtime (ContribOperators.md in its documentation). */
    static final String MICROSOFT = "com.microsoft";

    /** An input or output that a node does not have. */
    static final String ABSENT = "";

    private static final int ONNX_OPSET = 21;
    private static final int MICROSOFT_OPSET = 1;

    /** The version of the file format that goes with the opset. */
    private static final int IR_VERSION = 10;

    private final List<NodeProto> nodes = new ArrayList<>();

    /**
     * Adds a node with one output, which bears the node's name.
     *
     * @param attributes whole numbers, floats and strings
     * @return the output's name
     */
    String node(String domain, String type, String name, List<String> inputs, Map<String, ?> attributes) {
        node(domain, type, name, inputs, List.of(name), attributes);
        return name;
    }

    /** Adds a node with these outputs. */
    void node(
            String domain,
            String type,
            String name,
            List<String> inputs,
            List<String> outputs,
            Map<String, ?> attributes) {
        NodeProto.Builder node = NodeProto.newBuilder()
                .setDomain(domain)
                .setOpType(type)
                .setName(name)
                .addAllInput(inputs)
                .addAllOutput(outputs);
        // Sorted, so that the same model gives the same bytes.
        attributes.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(e -> node.addAttribute(attribute(e.getKey(), e.getValue())));
        nodes.add(node.build());
    }

    /** Adds a change of type; the output bears the name. */
    String cast(String x, String name, TensorProto.DataType type) {
        return node(ONNX, "Cast", name, List.of(x), Map.of("to", type.getNumber()));
    }

    /** The whole model. */
    ModelProto model(List<TensorProto> initializers, List<ValueInfoProto> inputs, List<ValueInfoProto> outputs) {
        return ModelProto.newBuilder()
                .setIrVersion(IR_VERSION)
                .setProducerName("penstock")
                .addOpsetImport(opset(ONNX, ONNX_OPSET))
                .addOpsetImport(opset(MICROSOFT, MICROSOFT_OPSET))
                .addOpsetImport(opset(GraphContract.DOMAIN, GraphContract.OPSET_VERSION))
                .setGraph(GraphProto.newBuilder()
                        .setName("decoder")
                        .addAllNode(nodes)
                        .addAllInitializer(initializers)
                        .addAllInput(inputs)
                        .addAllOutput(outputs))
                .build();
    }

    private static AttributeProto attribute(String name, Object value) {
        AttributeProto.Builder attribute = AttributeProto.newBuilder().setName(name);
        switch (value) {
            case Float number ->
                attribute.setType(AttributeProto.AttributeType.FLOAT).setF(number);
            case Number number ->
                attribute.setType(AttributeProto.AttributeType.INT).setI(number.longValue());
            default ->
                attribute.setType(AttributeProto.AttributeType.STRING).setS(ByteString.copyFromUtf8(value.toString()));
        }
        return attribute.build();
    }

    private static OperatorSetIdProto opset(String domain, long version) {
        return OperatorSetIdProto.newBuilder()
                .setDomain(domain)
                .setVersion(version)
                .build();
    }
}
