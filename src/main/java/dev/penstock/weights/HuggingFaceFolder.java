package dev.penstock.weights;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A model as Hugging Face lays it out: config.json and safetensors; the weights are read through {@link #openWeights}. */
public final class HuggingFaceFolder extends ModelFolder implements RawModel {
    private static final int MAX_INDEX_BYTES = 64 << 20;
    static final String INDEX = "model.safetensors.index.json";

    private final DecoderSpec spec;
    private final List<Path> weightFiles;
    private final Map<String, Path> index;

    private HuggingFaceFolder(
            Path path,
            DecoderSpec spec,
            GenerationConfig generation,
            TokenizerConfig tokenizer,
            List<Path> weightFiles,
            Map<String, Path> index) {
        super(path, generation, tokenizer);
        this.spec = spec;
        this.weightFiles = weightFiles;
        this.index = index;
    }

    /**
     * Reads the small files of a folder with a config.json and finds its weights.
     *
     * @param path absolute
     * @throws ModelFolderException its files are malformed, or its model is not supported
     */
    static HuggingFaceFolder read(Path path) {
        JsonFile config = JsonFile.read(path.resolve(CONFIG), MAX_CONFIG_BYTES);
        DecoderSpec spec = DecoderFamily.of(config).describe(config);
        Map<String, Path> index = index(path);
        return new HuggingFaceFolder(
                path,
                spec,
                GenerationConfig.of(config, generation(path)),
                TokenizerConfig.read(path),
                weightFiles(path, index),
                index);
    }

    /** What config.json says of the model. */
    @Override
    public DecoderSpec spec() {
        return spec;
    }

    /** The same model without its head, for its hidden states. */
    HuggingFaceFolder withoutHead() {
        return new HuggingFaceFolder(path(), spec.withoutHead(), generation(), tokenizer(), weightFiles, index);
    }

    /** Maps the safetensors files and checks their headers; the caller closes the source. */
    @Override
    public WeightSource openWeights() {
        Checkpoint weights = Checkpoint.open(path(), weightFiles, index);
        return spec.hasHead() ? weights : new BareNames(weights);
    }

    /** The files that decide what a graph built from this folder is: config.json and the safetensors, absolute. */
    List<Path> sourceFiles() {
        return Stream.concat(Stream.of(path().resolve(CONFIG)), weightFiles.stream())
                .toList();
    }

    /** The files with weights. */
    static List<Path> weightFiles(Path path, Map<String, Path> index) {
        return index.isEmpty() ? unindexed(path) : List.copyOf(new TreeSet<>(index.values()));
    }

    /** Which file each tensor is in, by the index; empty where there is no index. */
    static Map<String, Path> index(Path folder) {
        Path file = folder.resolve(INDEX);
        if (!Files.exists(file)) {
            return Map.of();
        }
        JsonFile json = JsonFile.read(file, MAX_INDEX_BYTES);
        @Nullable JsonNode weightMap = json.get("weight_map");
        if (weightMap == null || !weightMap.isObject() || weightMap.isEmpty()) {
            throw json.missing("weight_map", "an object from tensor names to file names");
        }
        Map<String, Path> index = new TreeMap<>();
        weightMap.properties().forEach(e -> {
            String name = e.getValue().isTextual() ? e.getValue().textValue() : "";
            // A plain name can't lead out of the folder; Hugging Face's cache itself holds links, so those are
            // followed.
            if (!name.endsWith(".safetensors") || name.contains("/") || name.contains("\\") || name.contains("\0")) {
                throw json.wrong("weight_map", "names of .safetensors files in the same folder", e);
            }
            index.put(e.getKey(), folder.resolve(name));
        });
        for (Path shard : new TreeSet<>(index.values())) {
            if (!Files.isRegularFile(shard)) {
                throw ModelFolderException.in(
                        shard, "missing, though " + INDEX + " names it: the download is not complete");
            }
        }
        return index;
    }

    private static List<Path> unindexed(Path folder) {
        List<Path> files = new ArrayList<>();
        boolean pickled = false;
        boolean gguf = false;
        try (Stream<Path> all = Files.list(folder)) {
            for (Path file : all.sorted().toList()) {
                String name = file.getFileName().toString();
                if (name.startsWith("model") && name.endsWith(".safetensors")) {
                    files.add(file);
                }
                pickled |= name.endsWith(".bin") || name.endsWith(".pt") || name.endsWith(".pth");
                gguf |= name.endsWith(".gguf");
            }
        } catch (IOException e) {
            throw ModelFolderException.in(folder, "can't be listed: " + e, e);
        }
        if (files.isEmpty()) {
            String found = pickled
                    ? "pickled PyTorch files, which can run code when they are opened and are never read: convert them"
                            + " to safetensors (save_pretrained of transformers writes them)"
                    : gguf ? "a GGUF file: fetch the model's safetensors instead" : "none";
            throw ModelFolderException.in(
                    folder, "expected model.safetensors, or shards of it with " + INDEX + "; found " + found);
        }
        return List.copyOf(files);
    }
}
