package dev.penstock.weights;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Hashes of files by their contents, remembered in a folder by path, size, time of change and file number, so that a
 * model of many gigabytes is read for its hash once only. The hash is SHA-256 over the SHA-256 of each
 * {@value #PIECE_MIB} MiB, so that several threads can share a file.
 */
final class FileDigests {
    private static final int PIECE_MIB = 64;
    private static final long PIECE = (long) PIECE_MIB << 20;
    private static final int BUFFER = 1 << 20;

    /**
     * A file changed as recently as this may change again without a change of its time, since file systems keep time
     * in coarse steps: its hash is not remembered.
     */
    private static final Duration SETTLED = Duration.ofSeconds(2);

    private static final JsonMapper MAPPER = new JsonMapper();

    private final Path memory;

    /** Remembers in that folder. */
    FileDigests(Path memory) {
        this.memory = memory;
    }

    /** What is remembered: the hash, and what the file looked like. */
    private record Remembered(String path, long size, String modified, String fileKey, String digest) {
        boolean sameFile(Remembered other) {
            return path.equals(other.path)
                    && size == other.size
                    && modified.equals(other.modified)
                    && fileKey.equals(other.fileKey);
        }
    }

    /**
     * The hash of a file's contents, in hex.
     *
     * @throws IOException it can't be read, or changes meanwhile
     */
    String digest(Path file, int threads, BuildProgress progress) throws IOException {
        Path real = file.toRealPath();
        Remembered now = look(real);
        Path entry = memory.resolve(hex(sha256().digest(real.toString().getBytes(StandardCharsets.UTF_8))) + ".json");
        Optional<Remembered> before = remembered(entry).filter(now::sameFile);
        if (before.isPresent()) {
            return before.get().digest();
        }
        progress.start("Hashing " + file.getFileName(), now.size());
        String digest = hash(real, now.size(), threads, progress);
        if (!look(real).sameFile(now)) {
            throw new IOException("it changed while it was read");
        }
        if (Instant.parse(now.modified()).isBefore(Instant.now().minus(SETTLED))) {
            remember(entry, new Remembered(now.path(), now.size(), now.modified(), now.fileKey(), digest));
        }
        return digest;
    }

    /** SHA-256, which every Java platform has. */
    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Lower-case hexadecimal. */
    static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private static Remembered look(Path real) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(real, BasicFileAttributes.class);
        return new Remembered(
                real.toString(),
                attributes.size(),
                attributes.lastModifiedTime().toInstant().toString(),
                Objects.toString(attributes.fileKey(), ""),
                "");
    }

    /** An entry that can't be read is as good as none. */
    private static Optional<Remembered> remembered(Path entry) {
        try {
            return Optional.ofNullable(MAPPER.readValue(entry.toFile(), Remembered.class))
                    .filter(r -> r.path() != null && r.modified() != null && r.fileKey() != null && r.digest() != null);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private void remember(Path entry, Remembered value) throws IOException {
        Path temporary = Files.createTempFile(memory, "tmp-", ".json");
        try {
            Files.write(temporary, MAPPER.writeValueAsBytes(value));
            Files.move(temporary, entry, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static String hash(Path file, long size, int threads, BuildProgress progress) throws IOException {
        try (FileChannel channel = FileChannel.open(file);
                ExecutorService pool = Executors.newFixedThreadPool(
                        threads,
                        Thread.ofPlatform().name("weights-", 0).daemon().factory())) {
            List<Future<byte[]>> pieces = new ArrayList<>();
            for (long start = 0; start < size; start += PIECE) {
                long from = start;
                pieces.add(pool.submit(() -> piece(channel, from, Math.min(size, from + PIECE), progress)));
            }
            MessageDigest all = sha256();
            for (Future<byte[]> piece : pieces) {
                all.update(piece.get());
            }
            return hex(all.digest());
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static byte[] piece(FileChannel channel, long from, long to, BuildProgress progress) throws IOException {
        MessageDigest digest = sha256();
        ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
        for (long at = from; at < to; ) {
            buffer.clear().limit((int) Math.min(BUFFER, to - at));
            int count = channel.read(buffer, at);
            if (count < 0) {
                throw new IOException("it shrank while it was read");
            }
            digest.update(buffer.flip());
            at += count;
            progress.advance(count);
        }
        return digest.digest();
    }
}
