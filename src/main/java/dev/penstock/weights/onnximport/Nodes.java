package dev.penstock.weights.onnximport;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** New nodes, in order of execution, and their constants; all their names begin with {@link #PREFIX}. */
final class Nodes {
    /** What tells our names from those of the graph. */
    static final String PREFIX = "penstock.";

    private final List<NodeProto> nodes = new ArrayList<>();
    private final Map<String, TensorProto> constants;

    private Nodes(Map<String, TensorProto> constants) {
        this.constants = constants;
    }

    /** None yet. */
    Nodes() {
        this(new LinkedHashMap<>());
    }

    /** Others beside these, with the same constants. */
    Nodes beside() {
        return new Nodes(constants);
    }

    /** The nodes so far. */
    List<NodeProto> list() {
        return nodes;
    }

    /** The constants of these and all others {@link #beside} them. */
    List<TensorProto> constants() {
        return List.copyOf(constants.values());
    }

    /** Adds a node of the standard with one output of the same name; returns that. */
    String add(String type, String name, List<String> inputs, AttributeProto... attributes) {
        return add("", type, name, inputs, attributes);
    }

    /** Adds a node with one output of the same name; returns that. */
    String add(String domain, String type, String name, List<String> inputs, AttributeProto... attributes) {
        nodes.add(NodeProto.newBuilder()
                .setDomain(domain)
                .setOpType(type)
                .setName(name)
                .addAllInput(inputs)
                .addOutput(name)
                .addAllAttribute(Arrays.asList(attributes))
                .build());
        return name;
    }

    /** A vector of int64. */
    String integers(Long... values) {
        List<Long> all = List.of(values);
        String name = PREFIX + "integers." + all.stream().map(String::valueOf).collect(Collectors.joining("_"));
        constants.putIfAbsent(name, Tensors.integers(name, all));
        return name;
    }

    /** An int64 without dimensions. */
    String integer(long value) {
        String name = PREFIX + "integer." + value;
        constants.putIfAbsent(name, Tensors.integer(name, value));
        return name;
    }

    /** A constant of any kind. */
    String constant(TensorProto tensor) {
        constants.putIfAbsent(tensor.getName(), tensor);
        return tensor.getName();
    }

    /** A conversion. */
    String cast(String value, DataType type, String name) {
        return add("Cast", name, List.of(value), attribute("to", type.getNumber()));
    }

    /** A whole number. */
    static AttributeProto attribute(String name, long value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.INT)
                .setI(value)
                .build();
    }

    /** A number. */
    static AttributeProto attribute(String name, float value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.FLOAT)
                .setF(value)
                .build();
    }

    /** Whole numbers. */
    static AttributeProto attribute(String name, List<Long> values) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.INTS)
                .addAllInts(values)
                .build();
    }
}
