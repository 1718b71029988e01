package dev.penstock.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Writes small graphs for tests. */
public final class TestGraph {
    private final GraphProto.Builder graph = GraphProto.newBuilder().setName("test");

    /** Declares an input; a dimension is a Long or a name. */
    public TestGraph input(String name, ElementType type, Object... shape) {
        graph.addInput(value(name, type, shape));
        return this;
    }

    /** Declares an output. */
    public TestGraph output(String name, ElementType type, Object... shape) {
        graph.addOutput(value(name, type, shape));
        return this;
    }

    /** Adds a constant. */
    public TestGraph constant(String name, float[] data, long... shape) {
        TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(ElementType.FLOAT.code());
        for (long d : shape) {
            tensor.addDims(d);
        }
        for (float f : data) {
            tensor.addFloatData(f);
        }
        graph.addInitializer(tensor);
        return this;
    }

    /** Adds a node; an attribute is a Long, a Float or a String. */
    public TestGraph node(
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
        attributes.forEach((key, value) -> {
            AttributeProto.Builder attribute = AttributeProto.newBuilder().setName(key);
            switch (value) {
                case Long number ->
                    attribute.setType(AttributeProto.AttributeType.INT).setI(number);
                case Float number ->
                    attribute.setType(AttributeProto.AttributeType.FLOAT).setF(number);
                default -> throw new IllegalArgumentException("attribute " + key + ": " + value);
            }
            node.addAttribute(attribute);
        });
        graph.addNode(node);
        return this;
    }

    /** Writes the model. */
    public Path write(Path file) {
        ModelProto.Builder model =
                ModelProto.newBuilder().setIrVersion(8).setProducerName("test").setGraph(graph);
        model.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(17));
        model.addOpsetImport(
                OperatorSetIdProto.newBuilder().setDomain("com.microsoft").setVersion(1));
        model.addOpsetImport(OperatorSetIdProto.newBuilder()
                .setDomain(GraphContract.DOMAIN)
                .setVersion(GraphContract.OPSET_VERSION));
        try {
            return Files.write(file, model.build().toByteArray());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static ValueInfoProto value(String name, ElementType type, Object... shape) {
        TensorShapeProto.Builder dims = TensorShapeProto.newBuilder();
        for (Object d : shape) {
            TensorShapeProto.Dimension.Builder dim = TensorShapeProto.Dimension.newBuilder();
            dims.addDim(d instanceof Long n ? dim.setDimValue(n) : dim.setDimParam((String) d));
        }
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder()
                                .setElemType(type.code())
                                .setShape(dims)))
                .build();
    }
}
