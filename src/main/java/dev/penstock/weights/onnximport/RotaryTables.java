package dev.penstock.weights.onnximport;

import static dev.penstock.weights.onnximport.GraphImportException.quoted;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.penstock.weights.onnximport.Attention.Rotary;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Tables of cosines and sines. Where a graph chooses between two by the length of what it has read, as LongRoPE does
 * (Ding et al. 2024), the choice is made here and now by the longest context: keys rotated by one table can't be read with
 * the other.
 */
final class RotaryTables {
    private final Graph graph;
    private final Nodes added;
    private final int wanted;
    private int context;

    /** For a context of so many tokens. */
    RotaryTables(Graph graph, Nodes added, int contextLength) {
        this.graph = graph;
        this.added = added;
        this.wanted = contextLength;
        this.context = contextLength;
    }

    /** The longest context that all tables so far have rows for. */
    int contextLength() {
        return context;
    }

    /** Attention whose tables are constants. */
    Attention resolved(NodeProto node, Attention attention) {
        if (attention.rotary().isEmpty()) {
            return attention;
        }
        Rotary rotary = attention.rotary().get();
        TensorProto cos = table(node, rotary.cos());
        TensorProto sin = table(node, rotary.sin());
        if (!cos.getDimsList().equals(sin.getDimsList())
                || cos.getDimsCount() != 2
                || cos.getDims(0) < 1
                || cos.getDims(1) < 1
                || 2 * cos.getDims(1) > attention.headSize()
                || cos.getDataType() != DataType.FLOAT.getNumber()
                || sin.getDataType() != DataType.FLOAT.getNumber()) {
            throw GraphImportException.at(
                    node,
                    "its tables of cosines and sines must be floats [context, at most %d], found %s and %s"
                            .formatted(attention.headSize() / 2, cos.getDimsList(), sin.getDimsList()));
        }
        context = (int) Math.min(context, cos.getDims(0));
        return new Attention(
                attention.node(),
                attention.output(),
                attention.inputs(),
                attention.cache(),
                attention.heads(),
                attention.kvHeads(),
                attention.headSize(),
                attention.scale(),
                attention.softcap(),
                attention.window(),
                Optional.of(new Rotary(cos.getName(), sin.getName(), rotary.interleaved())));
    }

    /**
     * Looks at the tables of nodes that rotate queries and keys before attention.
     *
     * @return names of tables that the graph chooses, with the names of the constants to read in their place
     */
    Map<String, String> chosenBesideAttention() {
        Map<String, String> chosen = new HashMap<>();
        for (NodeProto node : graph.nodes()) {
            if (!node.getOpType().equals("RotaryEmbedding")) {
                continue;
            }
            // The standard's operator takes positions behind the tables, com.microsoft's before them.
            int first = Operators.isStandard(node.getDomain()) ? 1 : 2;
            for (String name : List.of(Graph.input(node, first), Graph.input(node, first + 1))) {
                if (!graph.constants().containsKey(name)
                        && graph.producer(name, "If").isEmpty()) {
                    continue;
                }
                TensorProto table = table(node, name);
                if (rows(table) < 1) {
                    throw GraphImportException.at(node, "its table %s is empty".formatted(quoted(name)));
                }
                context = (int) Math.min(context, rows(table));
                if (!table.getName().equals(name)) {
                    chosen.put(name, table.getName());
                }
            }
        }
        return chosen;
    }

    private TensorProto table(NodeProto node, String name) {
        TensorProto constant = graph.constants().get(name);
        if (constant != null) {
            return constant;
        }
        NodeProto choice = graph.producer(name, "If")
                .orElseThrow(
                        () -> GraphImportException.at(node, "its table %s is no constant".formatted(quoted(name))));
        int output = choice.getOutputList().indexOf(name);
        List<TensorProto> tables = choice.getAttributeList().stream()
                .filter(AttributeProto::hasG)
                .map(a -> inner(choice, a.getG(), output))
                .sorted((a, b) -> Long.compare(rows(a), rows(b)))
                .toList();
        if (tables.isEmpty()) {
            throw GraphImportException.at(choice, "it has no branches");
        }
        TensorProto chosen =
                tables.stream().filter(t -> rows(t) >= wanted).findFirst().orElse(tables.getLast());
        String own = Nodes.PREFIX + name;
        added.constant(chosen.toBuilder().setName(own).build());
        return chosen.toBuilder().setName(own).build();
    }

    private static long rows(TensorProto table) {
        return table.getDimsCount() == 0 ? 0 : table.getDims(0);
    }

    /** The constant that a branch gives. */
    private TensorProto inner(NodeProto choice, GraphProto branch, int output) {
        if (output >= branch.getOutputCount()) {
            throw GraphImportException.at(choice, "its branches have different outputs");
        }
        Graph inside = new Graph(branch);
        String name = branch.getOutput(output).getName();
        String source =
                inside.producer(name, "Identity").map(n -> n.getInput(0)).orElse(name);
        TensorProto table =
                inside.constants().getOrDefault(source, graph.constants().get(source));
        if (table == null) {
            throw GraphImportException.at(choice, "its branch gives %s, which is no constant".formatted(quoted(name)));
        }
        return table;
    }
}
