package dev.penstock.weights;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A folder with a model and what its text side needs. Opening it reads the small files only, and holds nothing open.
 */
public abstract sealed class ModelFolder implements ModelSource permits HuggingFaceFolder, OnnxFolder {
    static final String CONFIG = "config.json";
    static final int MAX_CONFIG_BYTES = 4 << 20;

    private final Path path;
    private final GenerationConfig generation;
    private final TokenizerConfig tokenizer;

    ModelFolder(Path path, GenerationConfig generation, TokenizerConfig tokenizer) {
        this.path = path;
        this.generation = generation;
        this.tokenizer = tokenizer;
    }

    /**
     * Reads what a folder holds: safetensors, or graphs that onnxruntime-genai or Optimum wrote.
     *
     * @throws ModelFolderException it is no model folder, its files are malformed, or its model is not supported
     */
    public static ModelFolder open(Path folder) {
        Path path = folder.toAbsolutePath().normalize();
        if (!Files.isDirectory(path)) {
            throw ModelFolderException.in(path, "expected a folder with a model, found none");
        }
        if (OnnxFolder.isGenai(path)) {
            return OnnxFolder.genai(path);
        }
        if (!Files.exists(path.resolve(CONFIG))) {
            throw ModelFolderException.in(
                    path,
                    "expected a config.json as in a Hugging Face model folder, or a genai_config.json as onnxruntime-genai writes it, found none");
        }
        return OnnxFolder.isOptimum(path) ? OnnxFolder.optimum(path) : HuggingFaceFolder.read(path);
    }

    /** Where it is: absolute. */
    public Path path() {
        return path;
    }

    /** How the model's authors propose to generate. */
    public GenerationConfig generation() {
        return generation;
    }

    /** What tokenizer_config.json and the chat template files say. */
    public TokenizerConfig tokenizer() {
        return tokenizer;
    }

    /** The tokenizer.json, if there is one. */
    public Optional<Path> tokenizerJson() {
        return existing("tokenizer.json");
    }

    /** The SentencePiece tokenizer.model, if there is one. */
    public Optional<Path> tokenizerModel() {
        return existing("tokenizer.model");
    }

    /** generation_config.json, if there is one. */
    static Optional<JsonFile> generation(Path folder) {
        return Optional.of(folder.resolve("generation_config.json"))
                .filter(Files::exists)
                .map(file -> JsonFile.read(file, MAX_CONFIG_BYTES));
    }

    private Optional<Path> existing(String name) {
        return Optional.of(path.resolve(name)).filter(Files::isRegularFile);
    }
}
