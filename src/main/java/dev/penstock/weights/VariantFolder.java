package dev.penstock.weights;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.penstock.model.DecoderShape;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.onnx.GraphContract;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The files of a variant: {@code model.onnx.data} with the weights, a graph file for each type of KV cache that there may be, and
 * {@code variant.json}, which tells what it is and how long the other files are.
 */
final class VariantFolder {
    static final String DATA_FILE = "model.onnx.data";
    private static final String METADATA_FILE = "variant.json";

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    private VariantFolder() {}

    /** What stands in variant.json; absent members of a damaged file are null. */
    private record Metadata(
            @Nullable String id,
            @Nullable Precision precision,
            @Nullable DecoderShape shape,
            @Nullable Map<String, Long> files) {}

    /** Computes and writes all files. */
    static void write(
            Path folder,
            StoreFiles files,
            String id,
            DecoderGraph graph,
            WeightSource weights,
            BuildOptions options,
            BuildProgress progress)
            throws IOException {
        Map<String, Long> sizes = new TreeMap<>();
        try (StoreFiles.DataFile data = files.create(folder.resolve(DATA_FILE))) {
            new DataWriter(weights, data, options.rounding(), progress).write(graph.constants(), options.threads());
            data.sync();
        }
        sizes.put(DATA_FILE, graph.constants().dataBytes());
        for (KvType kvType : graph.kvTypes()) {
            String name = GraphContract.graphFile(kvType);
            sizes.put(name, write(folder, files, name, graph.model(kvType).toByteArray()));
        }
        Metadata metadata = new Metadata(id, graph.precision(), graph.shape(), sizes);
        write(
                folder,
                files,
                METADATA_FILE,
                MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(metadata));
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
            return Optional.of(new Variant(folder, metadata.shape(), metadata.precision(), id));
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
