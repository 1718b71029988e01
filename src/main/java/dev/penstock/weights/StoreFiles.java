package dev.penstock.weights;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The store's way to its file system, for what can run out of space. */
interface StoreFiles {
    /** The machine's file systems. */
    StoreFiles SYSTEM = new StoreFiles() {
        @Override
        public long usableBytes(Path folder) throws IOException {
            return Files.getFileStore(folder).getUsableSpace();
        }

        @Override
        public DataFile create(Path file) throws IOException {
            return new ChannelFile(FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
        }
    };

    /** Bytes that may still be written under a folder. */
    long usableBytes(Path folder) throws IOException;

    /** Creates a file that is not there yet. */
    DataFile create(Path file) throws IOException;

    /** A file being written; safe for many threads. */
    interface DataFile extends Closeable {
        /** Writes all that remains in the buffer. */
        void write(ByteBuffer bytes, long position) throws IOException;

        /** Returns when all that was written is on the disk. */
        void sync() throws IOException;
    }

    /** A file of the machine. */
    record ChannelFile(FileChannel channel) implements DataFile {
        @Override
        public void write(ByteBuffer bytes, long position) throws IOException {
            long at = position;
            while (bytes.hasRemaining()) {
                at += channel.write(bytes, at);
            }
        }

        @Override
        public void sync() throws IOException {
            channel.force(true);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
