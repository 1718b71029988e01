package dev.penstock.onnx;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What must be known of a graph before its session is opened.
 *
 * @param packed the packed weights of its nodes; empty for a graph without such nodes
 * @param dataFolder what locations of its external data are relative to; empty where that is the graph's own folder
 */
record GraphFile(List<PackedWeights> packed, Optional<Path> dataFolder) {
    /** A graph file has no weights in it, so more than this is not one of ours. */
    private static final long MAX_BYTES = 256L << 20;

    /**
     * A constant of bytes in a file beside the graph.
     *
     * @param name the constant's name
     * @param file where its bytes are
     * @param offset where they begin
     * @param bytes how many there are
     */
    record PackedWeights(String name, Path file, long offset, long bytes) {}

    /**
     * Reads a graph file.
     *
     * @throws OnnxException it can't be read or is no graph
     */
    static GraphFile read(Path graph) {
        try {
            if (Files.size(graph) > MAX_BYTES) {
                return new GraphFile(List.of(), Optional.empty());
            }
            try (InputStream in = Files.newInputStream(graph)) {
                return of(ModelProto.parseFrom(in), graph);
            }
        } catch (IOException e) {
            throw new OnnxException("cannot read the graph " + graph + ": " + e.getMessage(), e);
        }
    }

    private static GraphFile of(ModelProto model, Path graph) {
        Map<String, TensorProto> constants = new HashMap<>();
        model.getGraph().getInitializerList().forEach(constant -> constants.put(constant.getName(), constant));
        Map<String, PackedWeights> packed = new HashMap<>();
        for (NodeProto node : model.getGraph().getNodeList()) {
            if (!node.getDomain().equals(GraphContract.DOMAIN)
                    || !node.getOpType().startsWith(GraphContract.PACKED_PREFIX)) {
                continue;
            }
            for (String input : node.getInputList()) {
                TensorProto constant = constants.get(input);
                if (constant != null && constant.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
                    packed.put(input, external(constant, graph));
                }
            }
        }
        Optional<Path> dataFolder = model.getMetadataPropsList().stream()
                .filter(p -> p.getKey().equals(GraphContract.DATA_FOLDER))
                .map(p -> Path.of(p.getValue()))
                .findFirst();
        return new GraphFile(new ArrayList<>(packed.values()), dataFolder);
    }

    private static PackedWeights external(TensorProto constant, Path graph) {
        Map<String, String> place = new HashMap<>();
        for (StringStringEntryProto entry : constant.getExternalDataList()) {
            place.put(entry.getKey(), entry.getValue());
        }
        try {
            Path file = graph.resolveSibling(place.getOrDefault("location", ""));
            long offset = Long.parseLong(place.getOrDefault("offset", "0"));
            long bytes = constant.getDimsList().stream().reduce(1L, Math::multiplyExact);
            if (offset < 0 || bytes < 1 || offset + bytes > Files.size(file)) {
                throw new OnnxException(
                        "%s: constant %s lies outside of %s".formatted(graph, constant.getName(), file));
            }
            return new PackedWeights(constant.getName(), file, offset, bytes);
        } catch (NumberFormatException | ArithmeticException | IOException e) {
            throw new OnnxException(graph + ": constant " + constant.getName() + " has no readable place: " + e, e);
        }
    }
}
