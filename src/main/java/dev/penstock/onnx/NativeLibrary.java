package dev.penstock.onnx;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HexFormat;
import java.util.Locale;
import java.util.zip.CRC32;

/**
 * Finds ONNX Runtime's library, and takes it out of the jar once for all starts: it is kept under
 * {@code PENSTOCK_HOME} (default {@code ~/.cache/penstock}) in a folder named by its content, since unpacking 28 MB each
 * time would cost a good part of a start. The variable {@code PENSTOCK_ONNXRUNTIME} names a folder with a library that
 * is used in its place: one with CUDA, whose providers lie beside it.
 */
final class NativeLibrary {
    /** The environment variable that names a folder with a library. */
    static final String FOLDER_VARIABLE = "PENSTOCK_ONNXRUNTIME";

    private NativeLibrary() {}

    /** Path of the library for this machine; throws OnnxException where there is none. */
    static Path find() {
        String file = System.mapLibraryName("onnxruntime");
        String folder = System.getenv(FOLDER_VARIABLE);
        if (folder != null && !folder.isBlank()) {
            return in(folder, file);
        }
        String resource = "ai/onnxruntime/native/" + platform() + "/" + file;
        URL url = NativeLibrary.class.getClassLoader().getResource(resource);
        if (url == null) {
            throw new OnnxException(
                    "there is no ONNX Runtime for this platform: " + resource + " is not on the class path");
        }
        try {
            return unpacked(url, file);
        } catch (IOException e) {
            throw new OnnxException("cannot unpack ONNX Runtime's library: " + e, e);
        }
    }

    /** The library in a folder; throws OnnxException where there is none. */
    static Path in(String folder, String file) {
        Path path = Path.of(folder, file).toAbsolutePath();
        if (!Files.isReadable(path)) {
            throw new OnnxException(FOLDER_VARIABLE + "=" + folder + " holds no readable " + file);
        }
        return path;
    }

    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        String family = os.contains("win") ? "win" : os.contains("mac") ? "osx" : "linux";
        return family + "-" + (arch.equals("amd64") || arch.equals("x86_64") ? "x64" : "aarch64");
    }

    private static Path unpacked(URL url, String file) throws IOException {
        Content content = content(url);
        Path home = home().resolve("native");
        Path folder = home.resolve("onnxruntime-" + HexFormat.of().toHexDigits((int) content.crc()));
        Path target = folder.resolve(file);
        if (Files.isRegularFile(target) && Files.size(target) == content.size()) {
            return target;
        }
        Files.createDirectories(folder);
        Path fresh = Files.createTempFile(folder, file, ".part");
        try (InputStream in = url.openStream()) {
            Files.copy(in, fresh, StandardCopyOption.REPLACE_EXISTING);
            // Atomic: of two processes that unpack at once, each finds a whole library.
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(fresh);
        }
        return target;
    }

    private record Content(long crc, long size) {}

    /** The jar's directory states checksum and size, so nothing is read but in an unusual class path. */
    private static Content content(URL url) throws IOException {
        URLConnection connection = url.openConnection();
        if (connection instanceof JarURLConnection jar) {
            var entry = jar.getJarEntry();
            if (entry.getCrc() >= 0 && entry.getSize() >= 0) {
                return new Content(entry.getCrc(), entry.getSize());
            }
        }
        CRC32 crc = new CRC32();
        long size = 0;
        try (InputStream in = url.openStream()) {
            byte[] buffer = new byte[1 << 16];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                crc.update(buffer, 0, n);
                size += n;
            }
        }
        return new Content(crc.getValue(), size);
    }

    private static Path home() {
        String home = System.getenv("PENSTOCK_HOME");
        return home != null && !home.isBlank()
                ? Path.of(home)
                : Path.of(System.getProperty("user.home"), ".cache", "penstock");
    }
}
