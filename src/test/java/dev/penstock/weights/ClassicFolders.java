package dev.penstock.weights;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Folders around graphs of {@link ClassicDecoder}. */
final class ClassicFolders {
    private ClassicFolders() {}

    /** As onnxruntime-genai's builder leaves it. */
    static Path genai(
            HuggingFaceFolder source, ClassicAttention.Form form, ClassicDecoder.Matrices matrices, Path folder) {
        ClassicDecoder.write(source, form, matrices, folder.resolve("model.onnx"), "model.onnx.data");
        var shape = source.shape();
        write(folder.resolve("genai_config.json"), """
                {"model": {"type": "%s", "context_length": %d, "vocab_size": %d, "bos_token_id": 1,
                  "eos_token_id": [2, 7], "pad_token_id": 0,
                  "decoder": {"filename": "model.onnx", "head_size": %d, "hidden_size": %d,
                    "num_attention_heads": %d, "num_key_value_heads": %d, "num_hidden_layers": %d,
                    "session_options": {"log_id": "onnxruntime-genai", "provider_options": []},
                    "inputs": {"input_ids": "input_ids", "attention_mask": "attention_mask",
                      "past_key_names": "past_key_values.%%d.key", "past_value_names": "past_key_values.%%d.value"},
                    "outputs": {"logits": "logits", "present_key_names": "present.%%d.key",
                      "present_value_names": "present.%%d.value"}}},
                 "search": {"do_sample": false, "max_length": %d, "temperature": 1.0, "top_k": 1, "top_p": 1.0}}
                """.formatted(
                        shape.family(),
                        shape.contextLength(),
                        shape.vocabSize(),
                        shape.headSize(),
                        shape.hiddenSize(),
                        shape.heads(),
                        shape.kvHeads(),
                        shape.layers(),
                        shape.contextLength()));
        texts(source, folder);
        return folder;
    }

    /** As Optimum leaves it: a config.json, and graphs in a folder. */
    static Path optimum(HuggingFaceFolder source, Path folder) {
        Path config = source.path().resolve("config.json");
        try {
            Files.createDirectories(folder.resolve("onnx"));
            Files.copy(config, folder.resolve("config.json"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        texts(source, folder);
        return folder;
    }

    private static void texts(HuggingFaceFolder source, Path folder) {
        try {
            for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
                if (Files.exists(source.path().resolve(name))) {
                    Files.copy(source.path().resolve(name), folder.resolve(name));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void write(Path file, String text) {
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
