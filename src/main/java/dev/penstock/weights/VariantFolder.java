package dev.penstock.weights;

import ai.onnx.proto.OnnxMl.ModelProto;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.penstock.model.DecoderShape;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.onnx.GraphContract;
import dev.penstock.weights.onnximport.ImportedGraph;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The files of a variant: {@code model.onnx.data} with the weights unless they are elsewhere, a graph file for each type of
 * KV cache that there may be, and {@code variant.json}, which tells what it is and how long the other files are.
 */
final class VariantFolder {
    static final String DATA_FILE = "model.onnx.data";
    static final String METADATA_FILE = "variant.json";

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    private VariantFolder() {}

    /** What stands in variant.json; absent members of a damaged file are null. */
    private record Metadata(
            @Nullable String id,
            @Nullable Precision precision,
            @Nullable DecoderShape shape,
            @Nullable Map<String, Long> files,
            @Nullable Map<String, Long> elsewhere) {
        /** Files of weights, with their sizes. */
        Map<String, Long> weights() {
            return elsewhere != null
                    ? elsewhere
                    : Map.of(DATA_FILE, files == null ? 0L : files.getOrDefault(DATA_FILE, 0L));
        }
    }

    /** Computes and writes all files. */
    static void write(
            Path folder,
            StoreFiles files,
            String id,
            BuiltGraph graph,
            WeightSource weights,
            BuildOptions options,
            BuildProgress progress)
            throws IOException {
        try (StoreFiles.DataFile data = files.create(folder.resolve(DATA_FILE))) {
            new DataWriter(weights, data, options.rounding(), progress).write(graph.constants(), options.threads());
            data.sync();
        }
        writeGraphs(
                folder,
                files,
                new Metadata(
                        id,
                        graph.precision(),
                        graph.shape(),
                        Map.of(DATA_FILE, graph.constants().dataBytes()),
                        null),
                graph.kvTypes(),
                graph::model);
    }

    /** Writes all files of an imported graph, whose weights stay where they are. */
    static void write(Path folder, StoreFiles files, String id, Precision precision, ImportedGraph graph)
            throws IOException {
        Map<String, Long> elsewhere = new TreeMap<>();
        for (Path file : graph.dataFiles()) {
            elsewhere.put(file.toString(), Files.size(file));
        }
        writeGraphs(
                folder,
                files,
                new Metadata(id, precision, graph.shape(), Map.of(), elsewhere),
                List.of(KvType.values()),
                graph::model);
    }

    private static void writeGraphs(
            Path folder, StoreFiles files, Metadata metadata, List<KvType> kvTypes, Function<KvType, ModelProto> graph)
            throws IOException {
        Map<String, Long> sizes = new TreeMap<>(Objects.requireNonNullElse(metadata.files(), Map.of()));
        for (KvType kvType : kvTypes) {
            String name = GraphContract.graphFile(kvType);
            sizes.put(name, write(folder, files, name, graph.apply(kvType).toByteArray()));
        }
        Metadata all = new Metadata(metadata.id(), metadata.precision(), metadata.shape(), sizes, metadata.elsewhere());
        write(
                folder,
                files,
                METADATA_FILE,
                MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(all));
    }

    /** The variant in a folder, if all its files are there with the sizes that they were written with. */
    static Optional<Variant> read(Path folder, String id) {
        Path file = folder.resolve(METADATA_FILE);
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try {
            Metadata metadata = MAPPER.readValue(file.toFile(), Metadata.class);
            if (metadata.shape() == null
                    || metadata.precision() == null
                    || metadata.files() == null
                    || !id.equals(metadata.id())) {
                return Optional.empty();
            }
            for (Map.Entry<String, Long> e : metadata.files().entrySet()) {
                if (Files.size(folder.resolve(e.getKey())) != e.getValue()) {
                    return Optional.empty();
                }
            }
            for (Map.Entry<String, Long> e : metadata.weights().entrySet()) {
                if (Files.size(folder.resolve(e.getKey())) != e.getValue()) {
                    return Optional.empty();
                }
            }
            long weightBytes = metadata.weights().values().stream()
                    .mapToLong(Long::longValue)
                    .sum();
            return Optional.of(new Variant(folder, metadata.shape(), metadata.precision(), id, weightBytes));
        } catch (IOException e) {
            // Not as it was written, so it is not a variant.
            return Optional.empty();
        }
    }

    private static long write(Path folder, StoreFiles files, String name, byte[] content) throws IOException {
        try (StoreFiles.DataFile file = files.create(folder.resolve(name))) {
            file.write(ByteBuffer.wrap(content), 0);
            file.sync();
        }
        return content.length;
    }
}
