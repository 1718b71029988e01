package dev.penstock.onnx.attention;

import dev.penstock.onnx.parallel.Workers;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Phaser;

/** Workers that are threads of a pool, and the caller. */
final class Threads implements Workers, AutoCloseable {
    private final int count;
    private final ExecutorService pool;

    Threads(int count) {
        this.count = count;
        pool = Executors.newFixedThreadPool(
                count, Thread.ofPlatform().name("worker-", 0).daemon().factory());
    }

    @Override
    public int count() {
        return count;
    }

    @Override
    public void run(int tasks, Task task) {
        Phaser done = new Phaser(tasks);
        for (int i = 1; i < tasks; i++) {
            int index = i;
            pool.execute(() -> {
                task.run(index);
                done.arrive();
            });
        }
        task.run(0);
        done.awaitAdvance(done.arrive());
    }

    @Override
    public void close() {
        pool.close();
    }
}
