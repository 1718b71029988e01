package dev.penstock.weights;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import com.google.protobuf.ByteString;
import dev.penstock.onnx.GraphSignature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Nodes and constants of a graph as exporters write it, with large constants in a file beside it. */
final class ClassicGraph {
    static final String MICROSOFT = "com.microsoft";

    private final GraphProto.Builder graph = GraphProto.newBuilder().setName("main_graph");
    private final Set<String> constants = new HashSet<>();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
    private final String dataFile;
    private int count;

    /** With its data in a file of that name; with the empty name they are in the graph itself. */
    ClassicGraph(String dataFile) {
        this.dataFile = dataFile;
    }

    GraphProto.Builder proto() {
        return graph;
    }

    ClassicGraph input(String name, DataType type, Object... dims) {
        graph.addInput(GraphSignature.value(name, type, dims));
        return this;
    }

    ClassicGraph output(String name, DataType type, Object... dims) {
        graph.addOutput(GraphSignature.value(name, type, dims));
        return this;
    }

    /** A node of the standard with one output of a name of its own; returns that. */
    String node(String type, Map<String, ?> attributes, String... inputs) {
        return node("", type, attributes, inputs);
    }

    String node(String domain, String type, Map<String, ?> attributes, String... inputs) {
        String name = "/model/" + type + "_" + count++;
        node(domain, type, name, attributes, List.of(inputs), List.of(name + "/output_0"));
        return name + "/output_0";
    }

    void node(
            String domain,
            String type,
            String name,
            Map<String, ?> attributes,
            List<String> inputs,
            List<String> outputs) {
        NodeProto.Builder node = graph.addNodeBuilder()
                .setDomain(domain)
                .setOpType(type)
                .setName(name)
                .addAllInput(inputs)
                .addAllOutput(outputs);
        // In order, so that the same graph is the same bytes.
        new TreeMap<String, Object>(attributes).forEach((key, value) -> {
            AttributeProto.Builder attribute = AttributeProto.newBuilder().setName(key);
            switch (value) {
                case Integer number ->
                    attribute.setType(AttributeProto.AttributeType.INT).setI(number);
                case Float number ->
                    attribute.setType(AttributeProto.AttributeType.FLOAT).setF(number);
                case GraphProto inner ->
                    attribute.setType(AttributeProto.AttributeType.GRAPH).setG(inner);
                case TensorProto tensor ->
                    attribute.setType(AttributeProto.AttributeType.TENSOR).setT(tensor);
                case List<?> list -> {
                    attribute.setType(AttributeProto.AttributeType.INTS);
                    list.forEach(i -> attribute.addInts((Integer) i));
                }
                default -> throw new IllegalArgumentException("attribute " + key + ": " + value);
            }
            node.addAttribute(attribute);
        });
    }

    /** A float without dimensions. */
    String number(double value) {
        String name = "/model/constants/FLOAT/" + value;
        if (constants.add(name)) {
            graph.addInitializer(TensorProto.newBuilder()
                    .setName(name)
                    .setDataType(DataType.FLOAT.getNumber())
                    .addFloatData((float) value));
        }
        return name;
    }

    /** A vector of int64. */
    String integers(long... values) {
        return integers("/model/constants/INT64/" + Arrays.toString(values), true, values);
    }

    /** An int64 without dimensions. */
    String integer(long value) {
        return integers("/model/constants/INT64/" + value, false, value);
    }

    private String integers(String name, boolean vector, long... values) {
        if (constants.add(name)) {
            TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(DataType.INT64.getNumber());
            if (vector) {
                tensor.addDims(values.length);
            }
            for (long value : values) {
                tensor.addInt64Data(value);
            }
            graph.addInitializer(tensor);
        }
        return name;
    }

    /** A tensor of floats. */
    String floats(String name, float[] values, long... shape) {
        return bytes(name, DataType.FLOAT, littleEndian(values), shape);
    }

    /** A node that is a matrix of floats, and an output of this graph. */
    void constantOutput(String name, float[] values, long rows, long columns) {
        TensorProto tensor = TensorProto.newBuilder()
                .setDataType(DataType.FLOAT.getNumber())
                .addDims(rows)
                .addDims(columns)
                .setRawData(ByteString.copyFrom(littleEndian(values)))
                .build();
        node("", "Constant", name + "/Constant", Map.of("value", tensor), List.of(), List.of(name));
        output(name, DataType.FLOAT, rows, columns);
    }

    private static byte[] littleEndian(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }

    /** A tensor by its bytes. */
    String bytes(String name, DataType type, byte[] values, long... shape) {
        if (!constants.add(name)) {
            return name;
        }
        TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(type.getNumber());
        for (long dim : shape) {
            tensor.addDims(dim);
        }
        if (dataFile.isEmpty()) {
            tensor.setRawData(ByteString.copyFrom(values));
        } else {
            tensor.setDataLocation(TensorProto.DataLocation.EXTERNAL)
                    .addExternalData(entry("location", dataFile))
                    .addExternalData(entry("offset", Integer.toString(data.size())))
                    .addExternalData(entry("length", Integer.toString(values.length)));
            data.writeBytes(values);
        }
        graph.addInitializer(tensor);
        return name;
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    /** Writes graph and data. */
    Path write(Path file, int opset) {
        ModelProto model = ModelProto.newBuilder()
                .setIrVersion(10)
                .setProducerName("test")
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(opset))
                .addOpsetImport(
                        OperatorSetIdProto.newBuilder().setDomain(MICROSOFT).setVersion(1))
                .setGraph(graph)
                .build();
        try {
            Files.createDirectories(file.getParent());
            if (!dataFile.isEmpty()) {
                Files.write(file.resolveSibling(dataFile), data.toByteArray());
            }
            return Files.write(file, model.toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
