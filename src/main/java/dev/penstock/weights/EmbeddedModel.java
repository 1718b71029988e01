package dev.penstock.weights;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model folder on the class path. Its files must be files to be mapped into memory, so they are copied into the store
 * once, under a hash of their contents.
 */
public final class EmbeddedModel {
    /** What a model folder on the class path may hold; a jar can't be asked what is in a folder of it. */
    private static final List<String> FILES = List.of(
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json",
            "chat_template.jinja");

    /** Embedded models are small; this keeps a wrong one from filling the heap. */
    private static final int MAX_FILE_BYTES = 64 << 20;

    private EmbeddedModel() {}

    /**
     * The folder in the store with the files of {@code resource}, copied there if they were not.
     *
     * @param resource an absolute path such as {@code /penstock-tiny/}
     * @param anchor a class whose loader sees it
     * @throws ModelFolderException there is no config.json under that path
     * @throws ModelStoreException the store can't be written
     */
    public static HuggingFaceFolder unpack(ModelStore store, String resource, Class<?> anchor) {
        Map<String, byte[]> files = new LinkedHashMap<>();
        MessageDigest digest = FileDigests.sha256();
        String base = resource.endsWith("/") ? resource : resource + "/";
        for (String name : FILES) {
            byte @Nullable [] content = read(base + name, anchor);
            if (content != null) {
                files.put(name, content);
                digest.update((name + ":" + content.length + "\n").getBytes(StandardCharsets.UTF_8));
                digest.update(content);
            }
        }
        if (!files.containsKey("config.json")) {
            throw new ModelFolderException(base + ": expected config.json on the class path, found none");
        }
        Path folder = store.unpacked(FileDigests.hex(digest.digest()).substring(0, 32), files);
        return HuggingFaceFolder.read(folder);
    }

    private static byte @Nullable [] read(String name, Class<?> anchor) {
        try (InputStream in = anchor.getResourceAsStream(name)) {
            if (in == null) {
                return null;
            }
            byte[] content = in.readNBytes(MAX_FILE_BYTES + 1);
            if (content.length > MAX_FILE_BYTES) {
                throw new ModelFolderException(name + ": expected at most " + MAX_FILE_BYTES + " bytes");
            }
            return content;
        } catch (IOException e) {
            throw new ModelFolderException(name + " on the class path can't be read: " + e, e);
        }
    }
}
