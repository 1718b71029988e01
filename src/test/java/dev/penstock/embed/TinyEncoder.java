package dev.penstock.embed;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import dev.penstock.onnx.GraphSignature;
import dev.penstock.prompt.EncoderInput;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/**
 * An encoder of random numbers, as a graph and, independently, in 64-bit floats: embeddings of tokens and types, one head of
 * attention over what the mask shows, and what it adds to them.
 */
public final class TinyEncoder {
    public static final int VOCAB = 40;
    public static final int WIDTH = 8;

    private final Map<String, float[]> weights = new HashMap<>();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
    private String dataFile = "";
    private final GraphProto.Builder graph = GraphProto.newBuilder().setName("tiny");

    /** Of seeded random numbers. */
    public TinyEncoder(long seed) {
        Random random = new Random(seed);
        weight("table", VOCAB, random);
        weight("kinds", 2, random);
        weight("query", WIDTH, random);
        weight("key", WIDTH, random);
        weight("value", WIDTH, random);
        weights.put("score", floats(WIDTH, random));
    }

    private float[] numbers(String name) {
        return Objects.requireNonNull(weights.get(name));
    }

    private void weight(String name, int rows, Random random) {
        weights.put(name, floats(rows * WIDTH, random));
    }

    private static float[] floats(int count, Random random) {
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
            floats[i] = (float) random.nextGaussian();
        }
        return floats;
    }

    /** Writes a graph with an output for the vectors of tokens. */
    public Path writeVectors(Path file, String output) {
        layers(output);
        return write(file, GraphSignature.value(output, DataType.FLOAT, "batch", "tokens", WIDTH));
    }

    /** As {@link #writeVectors}, with the numbers in a file of that name beside the graph. */
    public Path writeVectorsApart(Path file, String output, String name) throws IOException {
        dataFile = name;
        writeVectors(file, output);
        dataFile = "";
        return Files.write(file.resolveSibling(name), data.toByteArray());
    }

    /** Writes a graph that gives a logit: the product of the first token's vector and a vector of its own. */
    public Path writeLogits(Path file) {
        layers("hidden");
        graph.addInitializer(TensorProto.newBuilder()
                .setName("first")
                .setDataType(DataType.INT64.getNumber())
                .addInt64Data(0));
        node("Gather", List.of("hidden", "first"), "cls", Map.of("axis", 1L));
        constant("score", WIDTH, 1);
        node("MatMul", List.of("cls", "score"), "logits", Map.of());
        return write(file, GraphSignature.value("logits", DataType.FLOAT, "batch", 1));
    }

    private void layers(String output) {
        graph.clear().setName("tiny");
        constant("table", VOCAB, WIDTH);
        constant("kinds", 2, WIDTH);
        constant("query", WIDTH, WIDTH);
        constant("key", WIDTH, WIDTH);
        constant("value", WIDTH, WIDTH);
        graph.addInitializer(number("many", 1e4f)).addInitializer(number("one", 1));
        node("Gather", List.of("table", "input_ids"), "tokens", Map.of("axis", 0L));
        node("Gather", List.of("kinds", "token_type_ids"), "types", Map.of("axis", 0L));
        node("Add", List.of("tokens", "types"), "x", Map.of());
        for (String projection : List.of("query", "key", "value")) {
            node("MatMul", List.of("x", projection), projection + "s", Map.of());
        }
        node("Einsum", List.of("querys", "keys"), "products", Map.of("equation", "bqd,bkd->bqk"));
        node("Cast", List.of("attention_mask"), "seen", Map.of("to", (long) DataType.FLOAT.getNumber()));
        node("Einsum", List.of("seen", "seen"), "pairs", Map.of("equation", "bq,bk->bqk"));
        node("Sub", List.of("pairs", "one"), "unseen", Map.of());
        node("Mul", List.of("unseen", "many"), "bias", Map.of());
        node("Add", List.of("products", "bias"), "scores", Map.of());
        node("Softmax", List.of("scores"), "shares", Map.of("axis", -1L));
        node("MatMul", List.of("shares", "values"), "attended", Map.of());
        node("Add", List.of("x", "attended"), output, Map.of());
    }

    private void constant(String name, long... dims) {
        TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(DataType.FLOAT.getNumber());
        for (long dim : dims) {
            tensor.addDims(dim);
        }
        if (dataFile.isEmpty()) {
            for (float x : numbers(name)) {
                tensor.addFloatData(x);
            }
        } else {
            ByteBuffer bytes =
                    ByteBuffer.allocate(numbers(name).length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(numbers(name));
            tensor.setDataLocation(TensorProto.DataLocation.EXTERNAL)
                    .addExternalData(entry("location", dataFile))
                    .addExternalData(entry("offset", Integer.toString(data.size())))
                    .addExternalData(entry("length", Integer.toString(bytes.capacity())));
            data.writeBytes(bytes.array());
        }
        graph.addInitializer(tensor);
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    private static TensorProto number(String name, float value) {
        return TensorProto.newBuilder()
                .setName(name)
                .setDataType(DataType.FLOAT.getNumber())
                .addFloatData(value)
                .build();
    }

    private void node(String type, List<String> inputs, String output, Map<String, Object> attributes) {
        NodeProto.Builder node = NodeProto.newBuilder()
                .setOpType(type)
                .setName(output)
                .addAllInput(inputs)
                .addOutput(output);
        attributes.forEach((name, value) -> {
            AttributeProto.Builder attribute = AttributeProto.newBuilder().setName(name);
            if (value instanceof Long number) {
                attribute.setType(AttributeProto.AttributeType.INT).setI(number);
            } else {
                attribute.setType(AttributeProto.AttributeType.STRING).setS(ByteString.copyFromUtf8((String) value));
            }
            node.addAttribute(attribute);
        });
        graph.addNode(node);
    }

    private Path write(Path file, ValueInfoProto output) {
        for (String input : List.of("input_ids", "attention_mask", "token_type_ids")) {
            graph.addInput(GraphSignature.value(input, DataType.INT64, "batch", "tokens"));
        }
        ModelProto model = ModelProto.newBuilder()
                .setIrVersion(8)
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(17))
                .setGraph(graph.addOutput(output))
                .build();
        try {
            return Files.write(file, model.toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The vectors of an input's tokens, alone and in 64-bit floats. */
    public double[][] vectors(EncoderInput input) {
        int n = input.length();
        double[][] x = new double[n][WIDTH];
        for (int t = 0; t < n; t++) {
            for (int i = 0; i < WIDTH; i++) {
                x[t][i] = numbers("table")[input.tokens()[t] * WIDTH + i]
                        + numbers("kinds")[input.types()[t] * WIDTH + i];
            }
        }
        double[][] queries = times(x, "query");
        double[][] keys = times(x, "key");
        double[][] values = times(x, "value");
        double[][] result = new double[n][];
        for (int q = 0; q < n; q++) {
            double[] shares = new double[n];
            double sum = 0;
            for (int k = 0; k < n; k++) {
                shares[k] = Math.exp(dot(queries[q], keys[k]));
                sum += shares[k];
            }
            result[q] = x[q].clone();
            for (int k = 0; k < n; k++) {
                for (int i = 0; i < WIDTH; i++) {
                    result[q][i] += shares[k] / sum * values[k][i];
                }
            }
        }
        return result;
    }

    /** The logit of an input, in 64-bit floats. */
    public double logit(EncoderInput input) {
        double[] score = new double[WIDTH];
        for (int i = 0; i < WIDTH; i++) {
            score[i] = numbers("score")[i];
        }
        return dot(vectors(input)[0], score);
    }

    private double[][] times(double[][] x, String matrix) {
        double[][] product = new double[x.length][WIDTH];
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < WIDTH; i++) {
                for (int j = 0; j < WIDTH; j++) {
                    product[t][j] += x[t][i] * numbers(matrix)[i * WIDTH + j];
                }
            }
        }
        return product;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
