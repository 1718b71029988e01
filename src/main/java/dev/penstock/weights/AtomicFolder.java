package dev.penstock.weights;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/** Folders that are there whole or not at all, also after a crash of process or machine. */
final class AtomicFolder {
    private AtomicFolder() {}

    /** Fills a folder. */
    @FunctionalInterface
    interface Content {
        /** Writes the files and brings each to the disk. */
        void writeTo(Path folder) throws IOException;
    }

    /**
     * Fills a temporary folder beside the target and gives it the target's name; what stands under either name before
     * is replaced. The caller sees to it that nobody else does this at the same time.
     */
    static void create(Path target, Path temporary, Content content) throws IOException {
        delete(temporary);
        try {
            Files.createDirectory(temporary);
            content.writeTo(temporary);
            sync(temporary);
            delete(target);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            sync(target.resolveSibling(""));
        } catch (Throwable e) {
            try {
                delete(temporary);
            } catch (IOException suppressed) {
                e.addSuppressed(suppressed);
            }
            throw e;
        }
    }

    /** Deletes a folder with all in it, links but not what they lead to; nothing happens if there is none. */
    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException e) throws IOException {
                if (e != null) {
                    throw e;
                }
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /** Brings the names in a folder to the disk, as POSIX asks for after a rename. */
    private static void sync(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder)) {
            channel.force(true);
        }
    }
}
