package dev.penstock.weights.onnximport;

import static dev.penstock.weights.onnximport.GraphImportException.quoted;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.penstock.model.DecoderShape;
import dev.penstock.onnx.GraphContract;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Rewrites a decoder that others exported to {@link GraphContract}. The step's packed tokens become the one row of its
 * batch, so that all that computes each token by itself stays as it is; attention nodes become the paged operator; and
 * masks, shapes of caches and what else the old attention took are left out, since nothing reads them any more.
 */
public final class GraphImport {
    private static final String BATCHED_IDS = Nodes.PREFIX + "input_ids";
    private static final String BATCHED_LOGITS = Nodes.PREFIX + "logits";

    private static final int MAX_VOCAB = 1 << 22;

    private final ModelProto model;
    private final Graph graph;
    private final ModelFacts facts;
    private final Nodes added = new Nodes();

    private GraphImport(ModelProto model, ModelFacts facts) {
        this.model = model;
        this.graph = new Graph(model.getGraph());
        this.facts = facts;
    }

    /**
     * Reads a graph file and rewrites it.
     *
     * @param file absolute; its external data must be in its folder, or below it
     * @param facts what the files beside it say; the context is the longest that is wanted
     * @throws GraphImportException it is malformed, or can't be rewritten
     * @throws IOException it can't be read
     */
    public static ImportedGraph read(Path file, ModelFacts facts) throws IOException {
        Path folder = file.getParent();
        Path name = file.getFileName();
        if (folder == null || name == null) {
            throw new IllegalArgumentException("expected an absolute file, found " + file);
        }
        ModelProto model = GraphReader.read(file, name.toString());
        return new GraphImport(model, facts).rewritten(folder);
    }

    private ImportedGraph rewritten(Path folder) throws IOException {
        for (String needed : List.of(facts.names().inputIds(), facts.names().logits())) {
            if (!graph.inputs().containsKey(needed) && !graph.outputs().containsKey(needed)) {
                throw new GraphImportException("expected a graph from %s to %s, found inputs %s and outputs %s"
                        .formatted(
                                facts.names().inputIds(),
                                facts.names().logits(),
                                quoted(String.join(", ", graph.inputs().keySet())),
                                quoted(String.join(", ", graph.outputs().keySet()))));
            }
        }
        Masks masks = new MaskProbe(model, graph, facts, folder);
        List<Attention> attentions = new AttentionFinder(new AttentionContext(graph, facts, masks)).find();
        RotaryTables tables = new RotaryTables(graph, added, facts.contextLength());
        List<Attention> layers = attentions.stream()
                .map(a -> tables.resolved(graph.nodes().get(a.node()), a))
                .toList();
        Graph packed = pruned(graph.withNodes(packed(layers, tables.chosenBesideAttention())), BATCHED_LOGITS);
        requireKnownInputs(packed);
        WantedRows.Result wanted =
                WantedRows.take(packed, added, layers.getLast().output(), BATCHED_LOGITS);
        Nodes last = added.beside();
        last.add("Squeeze", GraphContract.LOGITS, List.of(wanted.logits(), last.integers(0L)));
        List<NodeProto> nodes = new ArrayList<>(wanted.nodes());
        nodes.addAll(last.list());
        DecoderShape shape = shape(layers, tables.contextLength(), nodes);
        return ImportedGraph.of(model, nodes, constants(nodes), shape, folder);
    }

    /** All nodes, with the step's inputs before them and paged attention in place of the old. */
    private List<NodeProto> packed(List<Attention> layers, Map<String, String> tables) {
        Map<String, String> names = new HashMap<>(tables);
        Nodes first = added.beside();
        String ids = first.add("Unsqueeze", BATCHED_IDS, List.of(GraphContract.INPUT_IDS, first.integers(0L)));
        names.put(facts.names().inputIds(), cast(first, ids, facts.names().inputIds()));
        if (graph.inputs().containsKey(facts.names().positionIds())) {
            String positions = Positions.add(first);
            names.put(
                    facts.names().positionIds(),
                    cast(first, positions, facts.names().positionIds()));
        }
        names.put(facts.names().logits(), BATCHED_LOGITS);
        Map<Integer, Nodes> paged = new HashMap<>();
        for (int l = 0; l < layers.size(); l++) {
            Nodes nodes = added.beside();
            PagedNodes.add(nodes, layers.get(l), l);
            paged.put(layers.get(l).node(), nodes);
        }
        List<NodeProto> all = new ArrayList<>(first.list());
        BatchSizes sizes = new BatchSizes(graph);
        for (int n = 0; n < graph.nodes().size(); n++) {
            Optional<TensorProto> size = sizes.of(graph.nodes().get(n));
            if (size.isPresent()) {
                added.constant(size.get());
                continue;
            }
            List<NodeProto> here = paged.containsKey(n)
                    ? paged.get(n).list()
                    : List.of(graph.nodes().get(n));
            for (NodeProto node : here) {
                refuseReserved(node);
                all.add(renamedOutputs(Renaming.inputs(node, names), names));
            }
        }
        return all;
    }

    /** A value of int64, as the type that the graph declares for its own input. */
    private String cast(Nodes nodes, String value, String input) {
        ValueInfoProto declared = graph.inputs().get(input);
        int type = declared == null ? 0 : declared.getType().getTensorType().getElemType();
        return type == DataType.INT32.getNumber() ? nodes.cast(value, DataType.INT32, value + ".int32") : value;
    }

    private NodeProto renamedOutputs(NodeProto node, Map<String, String> names) {
        int index = node.getOutputList().indexOf(facts.names().logits());
        return index < 0
                ? node
                : node.toBuilder()
                        .setOutput(index, names.getOrDefault(node.getOutput(index), node.getOutput(index)))
                        .build();
    }

    private void refuseReserved(NodeProto node) {
        for (String output : node.getOutputList()) {
            if (GraphContract.isInput(output)) {
                throw GraphImportException.at(
                        node, "its output " + quoted(output) + " has the name of an input of Penstock's");
            }
        }
    }

    private static Graph pruned(Graph all, String output) {
        List<NodeProto> kept = new ArrayList<>();
        all.upstream(output, -1).forEach(n -> kept.add(all.nodes().get(n)));
        return all.withNodes(kept);
    }

    /** Refuses a graph in which something beside attention reads the mask, the cache or what nobody feeds. */
    private void requireKnownInputs(Graph packed) {
        Set<String> made = new HashSet<>(packed.constants().keySet());
        added.constants().forEach(t -> made.add(t.getName()));
        packed.nodes().forEach(n -> made.addAll(n.getOutputList()));
        List<GraphImportException> problems = new ArrayList<>();
        for (NodeProto node : packed.nodes()) {
            for (String value : Graph.values(node)) {
                if (made.contains(value) || GraphContract.isInput(value)) {
                    continue;
                }
                GraphImportException problem = GraphImportException.at(
                        node,
                        graph.inputs().containsKey(value)
                                ? "it reads the graph's input %s, which steps of packed tokens do not have"
                                        .formatted(quoted(value))
                                : "nothing makes its input %s".formatted(quoted(value)));
                // What reads a cache is to blame for what prepares a mask for it.
                problems.add(value.equals(facts.names().attentionMask()) ? problems.size() : 0, problem);
            }
        }
        if (!problems.isEmpty()) {
            throw problems.getFirst();
        }
    }

    private List<TensorProto> constants(List<NodeProto> nodes) {
        Set<String> read = new HashSet<>();
        nodes.forEach(n -> read.addAll(Graph.values(n)));
        List<TensorProto> constants = new ArrayList<>();
        for (TensorProto tensor : graph.constants().values()) {
            if (read.contains(tensor.getName())) {
                constants.add(tensor);
            }
        }
        added.constants().stream().filter(t -> read.contains(t.getName())).forEach(constants::add);
        return constants;
    }

    private DecoderShape shape(List<Attention> layers, int contextLength, List<NodeProto> nodes) {
        Attention first = layers.getFirst();
        if (layers.size() != facts.layers()) {
            throw new GraphImportException("expected %d layers, as its configuration says, found %d attention nodes"
                    .formatted(facts.layers(), layers.size()));
        }
        for (Attention layer : layers) {
            if (layer.kvHeads() != first.kvHeads() || layer.headSize() != first.headSize()) {
                throw GraphImportException.at(
                        graph.nodes().get(layer.node()),
                        "%d key heads of %d numbers, but %d of %d in the first layer: caches must be alike"
                                .formatted(layer.kvHeads(), layer.headSize(), first.kvHeads(), first.headSize()));
            }
        }
        DecoderShape shape = new DecoderShape(
                facts.family(),
                layers.size(),
                facts.hiddenSize(),
                first.heads(),
                first.kvHeads(),
                first.headSize(),
                1,
                vocabSize(),
                contextLength);
        return shape.withInnerSize(MatrixCount.innerSize(shape, nodes, graph.constants()));
    }

    private int vocabSize() {
        ValueInfoProto logits = graph.outputs().get(facts.names().logits());
        var type = logits == null ? null : logits.getType().getTensorType();
        if (type == null
                || type.getElemType() != DataType.FLOAT.getNumber()
                || type.getShape().getDimCount() != 3) {
            throw new GraphImportException("expected an output %s of floats [batch, sequence, vocabulary]"
                    .formatted(quoted(facts.names().logits())));
        }
        long declared = type.getShape().getDim(2).getDimValue();
        long size = declared == 0 ? facts.vocabSize() : declared;
        if (size < 1 || size > MAX_VOCAB) {
            throw new GraphImportException("expected logits of 1 to %,d tokens, found %,d".formatted(MAX_VOCAB, size));
        }
        return (int) size;
    }
}
