package dev.penstock.weights;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A lock that one thread of one process holds at a time. The kernel frees it when its process dies, however it dies,
 * so a lock that can be had tells that whatever it guards has no living owner. Lock files stay: to delete one would let
 * two processes hold locks on two files of the same name.
 */
final class StoreLock implements AutoCloseable {
    /** File locks are per process, so threads need one of their own; a handful of names, kept for good. */
    private static final ConcurrentHashMap<Path, ReentrantLock> THREADS = new ConcurrentHashMap<>();

    private final ReentrantLock thread;
    private final FileChannel channel;
    private final FileLock lock;

    private StoreLock(ReentrantLock thread, FileChannel channel, FileLock lock) {
        this.thread = thread;
        this.channel = channel;
        this.lock = lock;
    }

    /** Takes the lock if nobody holds it. */
    static Optional<StoreLock> tryAcquire(Path file) throws IOException {
        ReentrantLock thread = thread(file);
        // A thread that holds it already must not get it again: it guards what that thread is doing.
        if (thread.isHeldByCurrentThread() || !thread.tryLock()) {
            return Optional.empty();
        }
        return Optional.ofNullable(locked(file, thread, false));
    }

    /** Takes the lock, however long that takes. */
    static StoreLock acquire(Path file) throws IOException {
        ReentrantLock thread = thread(file);
        thread.lock();
        @Nullable StoreLock lock = locked(file, thread, true);
        if (lock == null) {
            throw new IOException(file + " can't be locked");
        }
        return lock;
    }

    private static ReentrantLock thread(Path file) throws IOException {
        // The folder's real path, so that two ways to one store meet in one lock.
        Path folder = file.toAbsolutePath().getParent();
        Path key = folder == null ? file : folder.toRealPath().resolve(file.getFileName());
        return THREADS.computeIfAbsent(key, k -> new ReentrantLock());
    }

    private static @Nullable StoreLock locked(Path file, ReentrantLock thread, boolean wait) throws IOException {
        @Nullable FileChannel channel = null;
        @Nullable FileLock lock = null;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            lock = wait ? channel.lock() : channel.tryLock();
            return lock == null ? null : new StoreLock(thread, channel, lock);
        } finally {
            if (lock == null) {
                thread.unlock();
                if (channel != null) {
                    channel.close();
                }
            }
        }
    }

    @Override
    public void close() throws IOException {
        try (channel) {
            lock.release();
        } finally {
            thread.unlock();
        }
    }
}
