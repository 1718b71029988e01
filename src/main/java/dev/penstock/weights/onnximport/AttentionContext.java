package dev.penstock.weights.onnximport;

import static dev.penstock.weights.onnximport.GraphImportException.quoted;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.penstock.weights.onnximport.Attention.Cache;
import java.util.List;
import java.util.Optional;

/**
 * What all readers of attention nodes check alike.
 *
 * @param graph where the nodes are
 * @param facts what is known of the model from elsewhere
 * @param masks tells what masks show
 */
record AttentionContext(Graph graph, ModelFacts facts, Masks masks) {
    /** What the paged operator takes. */
    private static final int MIN_HEAD_SIZE = 8;

    private static final int MAX_HEAD_SIZE = 256;

    private static final int MAX_HEADS = 1 << 12;

    /** The node of that number. */
    NodeProto node(int index) {
        return graph.nodes().get(index);
    }

    /** A number of heads among a node's attributes. */
    int heads(NodeProto node, String attribute) {
        long heads = Graph.integer(node, attribute, 0);
        if (heads < 1 || heads > MAX_HEADS) {
            throw GraphImportException.at(
                    node, "`%s`: expected 1 to %d, found %d".formatted(attribute, MAX_HEADS, heads));
        }
        return (int) heads;
    }

    /** A factor or cap among a node's attributes, 0 where there is none. */
    float factor(NodeProto node, String attribute) {
        float value = Graph.number(node, attribute, 0);
        if (!(value >= 0 && value <= 1e6f)) {
            throw GraphImportException.at(node, "`%s`: expected 0 to 1e6, found %s".formatted(attribute, value));
        }
        return value;
    }

    /** Refuses a node that has one of these inputs. */
    void requireAbsent(NodeProto node, int first, int last, String what) {
        for (int i = first; i <= last; i++) {
            if (!Graph.input(node, i).isEmpty()) {
                throw GraphImportException.at(node, "it has " + what + " (input " + i + "), which is not supported");
            }
        }
    }

    /** Refuses a node whose attribute has another value than these. */
    void requireInteger(NodeProto node, String attribute, long absent, Long... allowed) {
        long value = Graph.integer(node, attribute, absent);
        if (!List.of(allowed).contains(value)) {
            throw GraphImportException.at(node, "`%s` of %d is not supported".formatted(attribute, value));
        }
    }

    /** Refuses a node whose attribute is a text other than this. */
    void requireText(NodeProto node, String attribute, String allowed) {
        AttributeProto found = Graph.attribute(node, attribute);
        if (found != null && !found.getS().toStringUtf8().equals(allowed)) {
            throw GraphImportException.at(
                    node,
                    "`%s` of %s is not supported"
                            .formatted(attribute, quoted(found.getS().toStringUtf8())));
        }
    }

    /** The width of the heads in a node's cache, which must be one of the graph's inputs [batch, kvHeads, past, headSize]. */
    int headSize(NodeProto node, Cache cache, int kvHeads) {
        int key = headSize(node, cache.key(), kvHeads);
        int value = headSize(node, cache.value(), kvHeads);
        if (key != value) {
            throw GraphImportException.at(
                    node, "keys are %d wide and values %d: only equal widths are supported".formatted(key, value));
        }
        return key;
    }

    private int headSize(NodeProto node, String input, int kvHeads) {
        ValueInfoProto declared = graph.inputs().get(input);
        if (declared == null) {
            throw GraphImportException.at(
                    node,
                    input.isEmpty()
                            ? "it has no cache of keys and values"
                            : "its cache %s is no input of the graph".formatted(quoted(input)));
        }
        var tensor = declared.getType().getTensorType();
        if (tensor.getElemType() != DataType.FLOAT.getNumber()) {
            throw GraphImportException.at(
                    node,
                    "its cache is of type %s; only graphs that compute in float (32 bits) run on the CPU: take the int4, int8 or fp32 file"
                            .formatted(DataType.forNumber(tensor.getElemType())));
        }
        TensorShapeProto shape = tensor.getShape();
        if (shape.getDimCount() != 4) {
            throw GraphImportException.at(
                    node, "its cache has %d dimensions, expected 4".formatted(shape.getDimCount()));
        }
        known(shape.getDim(1)).filter(heads -> heads != kvHeads).ifPresent(heads -> {
            throw GraphImportException.at(node, "its cache has %d heads, the node %d".formatted(heads, kvHeads));
        });
        long headSize = known(shape.getDim(3))
                .orElseGet(() -> facts.headSize()
                        .map(Integer::longValue)
                        .orElseThrow(
                                () -> GraphImportException.at(node, "the graph does not tell how wide its heads are")));
        if (headSize < MIN_HEAD_SIZE || headSize > MAX_HEAD_SIZE || headSize % 2 != 0) {
            throw GraphImportException.at(
                    node,
                    "heads are %d wide: expected an even number from %d to %d"
                            .formatted(headSize, MIN_HEAD_SIZE, MAX_HEAD_SIZE));
        }
        return (int) headSize;
    }

    private static Optional<Long> known(TensorShapeProto.Dimension dimension) {
        return dimension.hasDimValue() ? Optional.of(dimension.getDimValue()) : Optional.empty();
    }

    /** The number of heads that a cache declares. */
    Optional<Integer> declaredHeads(String cache) {
        return Optional.ofNullable(graph.inputs().get(cache))
                .map(v -> v.getType().getTensorType().getShape())
                .filter(s -> s.getDimCount() == 4)
                .flatMap(s -> known(s.getDim(1)))
                .filter(heads -> heads >= 1 && heads <= MAX_HEADS)
                .map(Long::intValue);
    }

    /**
     * What a step adds to the cache of a node, which takes the cache itself, or else what the graph made of it before.
     *
     * @param cache inputs of the node, empty names where it has none
     * @param key the node's input
     * @param value likewise
     * @param kvHeads heads of both where the node takes the cache itself
     */
    KeysAndValues keysAndValues(NodeProto node, Cache cache, Heads key, Heads value, int kvHeads) {
        if (!cache.key().isEmpty()) {
            return new KeysAndValues(key, value, cache, kvHeads, headSize(node, cache, kvHeads));
        }
        Scalars scalars = new Scalars(graph, 1);
        Optional<CacheTrace> keys = CacheTrace.of(graph, scalars, key.value());
        Optional<CacheTrace> values = CacheTrace.of(graph, scalars, value.value());
        if (keys.isEmpty()
                || values.isEmpty()
                || keys.get().factor() != 1
                || values.get().factor() != 1) {
            throw GraphImportException.at(
                    node, "it has no cache of keys and values, and what it reads was not put behind one");
        }
        Cache outside = new Cache(keys.get().cache(), values.get().cache());
        int heads = declaredHeads(outside.key()).orElse(kvHeads);
        return new KeysAndValues(
                keys.get().added(), values.get().added(), outside, heads, headSize(node, outside, heads));
    }

    /** Refuses heads that can't share keys evenly. */
    void requireGroups(NodeProto node, int heads, int kvHeads) {
        if (heads % kvHeads != 0) {
            throw GraphImportException.at(
                    node, "%d query heads do not divide over %d key heads".formatted(heads, kvHeads));
        }
    }

    /** Refuses a node whose outputs but the first are read by other nodes, which would miss them. */
    void requireOneOutput(NodeProto node) {
        for (String output : node.getOutputList().subList(1, node.getOutputCount())) {
            for (int reader : graph.readers(output)) {
                throw GraphImportException.at(
                        node,
                        "its output %s is read by node %s, so its cache can't be paged"
                                .formatted(quoted(output), quoted(node(reader).getName())));
            }
        }
    }
}
