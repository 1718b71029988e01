package dev.penstock.ops;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The model that this program carries, so that it answers without a download. */
final class EmbeddedModel {
    /** What callers name in {@code model}. */
    static final String NAME = "penstock-tiny";

    private static final List<String> FILES = List.of(
            "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json");

    private EmbeddedModel() {}

    /**
     * Its folder below {@code home}, written there unless it is there already: weights are mapped from files. Any number
     * of processes may do so at once; what has the folder's name is whole.
     *
     * @throws StartException it can't be written
     */
    static Path unpack(Path home) {
        Map<String, byte[]> files = new LinkedHashMap<>();
        FILES.forEach(name -> files.put(name, resource(name)));
        Path folder = home.resolve("embedded").resolve(NAME + "-" + digest(files));
        if (Files.isDirectory(folder)) {
            return folder;
        }
        try {
            Files.createDirectories(home.resolve("embedded"));
            Path temporary = Files.createTempDirectory(home.resolve("embedded"), "tmp-");
            try {
                for (Map.Entry<String, byte[]> file : files.entrySet()) {
                    Files.write(temporary.resolve(file.getKey()), file.getValue());
                }
                move(temporary, folder);
            } finally {
                delete(temporary);
            }
        } catch (IOException e) {
            throw new StartException(
                    "The embedded model can't be written to " + folder + ": " + e
                            + ". Set PENSTOCK_HOME to a folder that can be written to.",
                    e);
        }
        return folder;
    }

    private static void move(Path temporary, Path folder) throws IOException {
        try {
            Files.move(temporary, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            throw e;
        } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
            // Another process was faster; what it wrote is the same.
        } catch (IOException e) {
            if (!Files.isDirectory(folder)) {
                throw e;
            }
        }
    }

    private static void delete(Path temporary) throws IOException {
        if (!Files.exists(temporary)) {
            return;
        }
        try (Stream<Path> files = Files.list(temporary)) {
            for (Path file : files.toList()) {
                Files.deleteIfExists(file);
            }
        }
        Files.deleteIfExists(temporary);
    }

    private static byte[] resource(String name) {
        try (InputStream in = EmbeddedModel.class.getResourceAsStream("/" + NAME + "/" + name)) {
            if (in == null) {
                throw new StartException("This build carries no embedded model; name one with --model.");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String digest(Map<String, byte[]> files) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            files.values().forEach(digest::update);
            return HexFormat.of().formatHex(digest.digest(), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
