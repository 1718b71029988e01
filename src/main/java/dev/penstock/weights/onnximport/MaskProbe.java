package dev.penstock.weights.onnximport;

import static dev.penstock.weights.onnximport.GraphImportException.quoted;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.penstock.onnx.ElementType;
import dev.penstock.onnx.GraphSignature;
import dev.penstock.onnx.LazyMemory;
import dev.penstock.onnx.OnnxBinding;
import dev.penstock.onnx.OnnxException;
import dev.penstock.onnx.OnnxSession;
import dev.penstock.onnx.SessionConfig;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds out what a mask shows by computing it: the nodes that make it are run for a few tokens after a long past. So it does
 * not matter how a graph puts its mask together, and a mask of another kind is never taken for a causal one.
 */
final class MaskProbe implements Masks {
    /** Tokens of the step. */
    private static final int TOKENS = 3;

    /** Longest past; a window beyond it would not be noticed, and no model has one. */
    private static final int MAX_TOTAL = 32_768;

    private static final String RESULT = Nodes.PREFIX + "mask";

    private final ModelProto model;
    private final Graph graph;
    private final ModelFacts facts;
    private final Path folder;
    private final int total;
    private final Map<String, Optional<Integer>> known = new HashMap<>();

    /**
     * For masks of a graph.
     *
     * @param folder what locations of its external data are relative to
     */
    MaskProbe(ModelProto model, Graph graph, ModelFacts facts, Path folder) {
        this.model = model;
        this.graph = graph;
        this.facts = facts;
        this.folder = folder;
        this.total = Math.max(TOKENS + 1, Math.min(facts.contextLength(), MAX_TOTAL));
    }

    @Override
    public Optional<Integer> window(NodeProto node, String mask) {
        Optional<Integer> found = known.get(mask);
        if (found == null) {
            found = windowOf(node, computed(node, mask));
            known.put(mask, found);
        }
        return found;
    }

    /** The mask, [TOKENS, total]: what is added to each score, or 0 where a key is seen and {@link #HIDDEN} where not. */
    private float[] computed(NodeProto node, String mask) {
        Nodes last = new Nodes();
        String shape = last.integers(1L, 1L, (long) TOKENS, (long) total);
        last.add("Expand", RESULT + ".typed", List.of(mask, shape));
        last.cast(RESULT + ".typed", DataType.FLOAT, RESULT);
        List<NodeProto> nodes = new ArrayList<>();
        graph.upstream(mask, -1).forEach(n -> nodes.add(graph.nodes().get(n)));
        Set<String> read = new HashSet<>();
        nodes.forEach(n -> read.addAll(Graph.values(n)));
        read.add(mask);
        nodes.addAll(last.list());
        List<TensorProto> constants = new ArrayList<>(last.constants());
        graph.constants().values().stream()
                .filter(t -> read.contains(t.getName()))
                .forEach(constants::add);
        try {
            ModelProto.Builder part =
                    ImportedGraph.template(model, nodes, ImportedGraph.data(constants, folder), constants, folder);
            List<ValueInfoProto> inputs = graph.inputs().values().stream()
                    .filter(i -> read.contains(i.getName()))
                    .toList();
            part.getGraphBuilder().addAllInput(inputs);
            part.getGraphBuilder().addOutput(GraphSignature.value(RESULT, DataType.FLOAT, 1, 1, TOKENS, total));
            Path file = Files.createTempFile("penstock-mask", ".onnx");
            try {
                Files.write(file, part.build().toByteArray());
                float[] values = run(node, file, inputs);
                if (isBoolean(mask)) {
                    for (int i = 0; i < values.length; i++) {
                        values[i] = values[i] == 0 ? (float) HIDDEN : 0;
                    }
                }
                return values;
            } finally {
                Files.deleteIfExists(file);
            }
        } catch (IOException | OnnxException e) {
            GraphImportException problem = GraphImportException.at(
                    node, "its mask %s can't be computed by itself: %s".formatted(quoted(mask), e.getMessage()));
            problem.initCause(e);
            throw problem;
        }
    }

    private float[] run(NodeProto node, Path file, List<ValueInfoProto> inputs) {
        List<LazyMemory> memory = new ArrayList<>();
        try (OnnxSession session = OnnxSession.open(file, SessionConfig.ofThreads(1));
                OnnxBinding binding = session.bind()) {
            for (ValueInfoProto input : inputs) {
                bind(node, binding, input, memory);
            }
            LazyMemory result = allocate(memory, 4L * TOKENS * total);
            binding.output(RESULT, ElementType.FLOAT, result.segment(), 1, 1, TOKENS, total);
            binding.run();
            return result.segment().asSlice(0, 4L * TOKENS * total).toArray(ValueLayout.JAVA_FLOAT);
        } finally {
            memory.forEach(LazyMemory::close);
        }
    }

    private void bind(NodeProto node, OnnxBinding binding, ValueInfoProto input, List<LazyMemory> memory) {
        String name = input.getName();
        int past = total - TOKENS;
        if (name.equals(facts.names().inputIds())) {
            bindNumbers(binding, input, memory, new int[TOKENS]);
        } else if (name.equals(facts.names().positionIds())) {
            bindNumbers(binding, input, memory, new int[] {past, past + 1, past + 2});
        } else if (name.equals(facts.names().attentionMask())) {
            int[] ones = new int[total];
            Arrays.fill(ones, 1);
            bindNumbers(binding, input, memory, ones);
        } else {
            TensorShapeProto shape = input.getType().getTensorType().getShape();
            if (shape.getDimCount() != 4
                    || input.getType().getTensorType().getElemType() != DataType.FLOAT.getNumber()) {
                throw GraphImportException.at(node, "its mask depends on the input " + quoted(name));
            }
            // Only its shape matters, and memory that nobody touches costs nothing.
            long heads = Math.max(1, shape.getDim(1).getDimValue());
            long width = Math.max(1, shape.getDim(3).getDimValue());
            long bytes = Math.multiplyExact(4L * past, Math.multiplyExact(heads, width));
            binding.input(name, ElementType.FLOAT, allocate(memory, bytes).segment(), 1, heads, past, width);
        }
    }

    private static void bindNumbers(OnnxBinding binding, ValueInfoProto input, List<LazyMemory> memory, int[] numbers) {
        boolean wide = input.getType().getTensorType().getElemType() == DataType.INT64.getNumber();
        MemorySegment segment =
                allocate(memory, (wide ? 8L : 4L) * numbers.length).segment();
        for (int i = 0; i < numbers.length; i++) {
            if (wide) {
                segment.setAtIndex(ValueLayout.JAVA_LONG, i, numbers[i]);
            } else {
                segment.setAtIndex(ValueLayout.JAVA_INT, i, numbers[i]);
            }
        }
        binding.input(input.getName(), wide ? ElementType.INT64 : ElementType.INT32, segment, 1, numbers.length);
    }

    private static LazyMemory allocate(List<LazyMemory> memory, long bytes) {
        LazyMemory allocated = LazyMemory.allocate(Math.max(1, bytes));
        memory.add(allocated);
        return allocated;
    }

    /** Whether a mask says yes and no: comparisons and what joins them do. */
    private boolean isBoolean(String mask) {
        return graph.producer(mask)
                .map(n -> switch (n.getOpType()) {
                    case "And",
                            "Or",
                            "Not",
                            "Xor",
                            "Less",
                            "LessOrEqual",
                            "Greater",
                            "GreaterOrEqual",
                            "Equal",
                            "IsNaN" -> true;
                    case "Cast" -> Graph.integer(n, "to", 0) == DataType.BOOL.getNumber();
                    case "Expand",
                            "Identity",
                            "Reshape",
                            "Slice",
                            "Squeeze",
                            "Transpose",
                            "Unsqueeze",
                            "Concat",
                            "Gather",
                            "GatherND" -> isBoolean(n.getInput(0));
                    case "Where" -> isBoolean(n.getInput(1));
                    default -> false;
                })
                .orElseGet(() -> {
                    TensorProto constant = graph.constants().get(mask);
                    return constant != null && constant.getDataType() == DataType.BOOL.getNumber();
                });
    }

    private Optional<Integer> windowOf(NodeProto node, float[] mask) {
        int window = 0;
        for (int t = 0; t < TOKENS; t++) {
            int position = total - TOKENS + t;
            int first = position + 1;
            for (int key = 0; key < total; key++) {
                float value = mask[t * total + key];
                boolean seen = value == 0;
                if (!seen && !(value <= HIDDEN)) {
                    throw GraphImportException.at(
                            node,
                            "its mask adds %s to a score: only masks that hide or show are supported".formatted(value));
                }
                if (seen && first > position) {
                    first = key;
                }
                if (seen != (key >= first && key <= position)) {
                    throw GraphImportException.at(
                            node,
                            "its mask %s the token at %d from that at %d: it is not causal, or has gaps"
                                    .formatted(seen ? "shows" : "hides", key, position));
                }
            }
            int width = position + 1 - first;
            if (width < 1 || t > 0 && width != window + (first == 0 ? 1 : 0)) {
                throw GraphImportException.at(
                        node,
                        "its mask shows %d tokens to the one at %d, another number than before"
                                .formatted(width, position));
            }
            window = width;
        }
        return window == total ? Optional.empty() : Optional.of(window);
    }
}
