package dev.penstock.weights.onnximport;

import static dev.penstock.weights.onnximport.GraphImportException.quoted;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A graph as something to walk about in: who makes a value, who reads it, what is constant. */
final class Graph {
    private final List<NodeProto> nodes;
    private final Map<String, TensorProto> constants = new LinkedHashMap<>();
    private final Map<String, ValueInfoProto> inputs = new LinkedHashMap<>();
    private final Map<String, ValueInfoProto> outputs = new LinkedHashMap<>();
    private final Map<String, Integer> producers = new HashMap<>();
    private final Map<String, Set<Integer>> readers = new HashMap<>();

    /**
     * Of a graph.
     *
     * @throws GraphImportException two nodes make the same value
     */
    Graph(GraphProto proto) {
        this(proto.getNodeList(), proto.getInitializerList(), proto.getInputList(), proto.getOutputList());
    }

    private Graph(
            List<NodeProto> all,
            Iterable<TensorProto> initializers,
            Iterable<ValueInfoProto> graphInputs,
            Iterable<ValueInfoProto> graphOutputs) {
        initializers.forEach(t -> constants.put(t.getName(), t));
        // Files of IR versions before 4 list constants among the inputs.
        graphInputs.forEach(v -> {
            if (!constants.containsKey(v.getName())) {
                inputs.put(v.getName(), v);
            }
        });
        graphOutputs.forEach(v -> outputs.put(v.getName(), v));
        nodes = new ArrayList<>();
        for (NodeProto node : all) {
            Optional<TensorProto> constant = constant(node);
            if (constant.isPresent()) {
                constants.put(constant.get().getName(), constant.get());
            } else {
                nodes.add(node);
            }
        }
        for (int n = 0; n < nodes.size(); n++) {
            int index = n;
            for (String output : nodes.get(n).getOutputList()) {
                if (!output.isEmpty() && producers.put(output, n) != null) {
                    throw GraphImportException.at(
                            nodes.get(n), "another node has the output " + quoted(output) + " too");
                }
            }
            values(nodes.get(n))
                    .forEach(v ->
                            readers.computeIfAbsent(v, k -> new TreeSet<>()).add(index));
        }
    }

    /** The same with other nodes. */
    Graph withNodes(List<NodeProto> others) {
        return new Graph(others, constants.values(), inputs.values(), outputs.values());
    }

    /** The nodes, each after those whose values it reads; constants are none of them. */
    List<NodeProto> nodes() {
        return nodes;
    }

    /** Constants by name, those of Constant nodes among them. */
    Map<String, TensorProto> constants() {
        return constants;
    }

    /** What the caller feeds, by name. */
    Map<String, ValueInfoProto> inputs() {
        return inputs;
    }

    /** The values that a run gives. */
    Map<String, ValueInfoProto> outputs() {
        return outputs;
    }

    /** The number of the node that makes a value; empty for constants and inputs. */
    Optional<Integer> producerIndex(String value) {
        return Optional.ofNullable(producers.get(value));
    }

    /** The node that makes a value, if it is of this type in the standard domain. */
    Optional<NodeProto> producer(String value, String type) {
        return producer(value).filter(n -> n.getOpType().equals(type) && Operators.isStandard(n.getDomain()));
    }

    /** The node that makes a value. */
    Optional<NodeProto> producer(String value) {
        return producerIndex(value).map(nodes::get);
    }

    /** The numbers of the nodes that read a value, in order. */
    Set<Integer> readers(String value) {
        return readers.getOrDefault(value, Set.of());
    }

    /** An input of a node; the empty name where it has none. */
    static String input(NodeProto node, int index) {
        return index < node.getInputCount() ? node.getInput(index) : "";
    }

    /** An attribute of a node. */
    static @Nullable AttributeProto attribute(NodeProto node, String name) {
        for (AttributeProto attribute : node.getAttributeList()) {
            if (attribute.getName().equals(name)) {
                return attribute;
            }
        }
        return null;
    }

    /** A whole number among a node's attributes. */
    static long integer(NodeProto node, String name, long absent) {
        AttributeProto attribute = attribute(node, name);
        return attribute == null ? absent : attribute.getI();
    }

    /** A number among a node's attributes. */
    static float number(NodeProto node, String name, float absent) {
        AttributeProto attribute = attribute(node, name);
        return attribute == null ? absent : attribute.getF();
    }

    /** All values that a node reads, those of its inner graphs from outside among them. */
    static Set<String> values(NodeProto node) {
        Set<String> values = new HashSet<>();
        for (String input : node.getInputList()) {
            if (!input.isEmpty()) {
                values.add(input);
            }
        }
        for (AttributeProto attribute : node.getAttributeList()) {
            if (attribute.hasG()) {
                values.addAll(outerValues(attribute.getG()));
            }
            attribute.getGraphsList().forEach(g -> values.addAll(outerValues(g)));
        }
        return values;
    }

    private static Set<String> outerValues(GraphProto inner) {
        Set<String> own = new HashSet<>();
        inner.getInitializerList().forEach(t -> own.add(t.getName()));
        inner.getInputList().forEach(v -> own.add(v.getName()));
        inner.getNodeList().forEach(n -> own.addAll(n.getOutputList()));
        Set<String> read = new HashSet<>();
        inner.getNodeList().forEach(n -> read.addAll(values(n)));
        inner.getOutputList().forEach(v -> read.add(v.getName()));
        read.removeAll(own);
        return read;
    }

    /**
     * The numbers of all nodes that a value depends on.
     *
     * @param cut a node that is taken to depend on nothing; -1 for none
     */
    Set<Integer> upstream(String value, int cut) {
        Set<Integer> found = new TreeSet<>();
        Deque<String> open = new ArrayDeque<>(List.of(value));
        while (!open.isEmpty()) {
            Integer producer = producers.get(open.pop());
            if (producer != null && producer != cut && found.add(producer)) {
                open.addAll(values(nodes.get(producer)));
            }
        }
        return found;
    }

    /** The numbers of all nodes that depend on a value. */
    Set<Integer> downstream(String value) {
        Set<Integer> found = new TreeSet<>();
        Deque<String> open = new ArrayDeque<>(List.of(value));
        while (!open.isEmpty()) {
            for (int reader : readers(open.pop())) {
                if (found.add(reader)) {
                    open.addAll(nodes.get(reader).getOutputList());
                }
            }
        }
        return found;
    }

    /** The tensor of a Constant node, under the name of its output. */
    private static Optional<TensorProto> constant(NodeProto node) {
        if (!node.getOpType().equals("Constant")
                || !Operators.isStandard(node.getDomain())
                || node.getOutputCount() != 1
                || node.getAttributeCount() != 1) {
            return Optional.empty();
        }
        AttributeProto value = node.getAttribute(0);
        String name = node.getOutput(0);
        return switch (value.getName()) {
            case "value" -> Optional.of(value.getT().toBuilder().setName(name).build());
            case "value_float" -> Optional.of(Tensors.number(name, value.getF()));
            case "value_int" -> Optional.of(Tensors.integer(name, value.getI()));
            case "value_ints" -> Optional.of(Tensors.integers(name, value.getIntsList()));
            default -> Optional.empty();
        };
    }
}
