package dev.penstock.onnx.experts;

import dev.penstock.onnx.parallel.Workers;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Cuts a range of items into one piece for each worker. */
final class Parallel {
    private Parallel() {}

    /** Does the items from {@code from} up to {@code to}. */
    @FunctionalInterface
    interface Range {
        void run(int from, int to);
    }

    /** Runs all items, alone if they are fewer than {@code alone}; the first failure is thrown when all have ended. */
    static void share(int items, int alone, Workers workers, Range range) {
        int pieces = items < alone ? 1 : Math.max(1, workers.count());
        if (pieces == 1) {
            range.run(0, items);
            return;
        }
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        workers.run(pieces, piece -> {
            try {
                range.run((int) ((long) items * piece / pieces), (int) ((long) items * (piece + 1) / pieces));
            } catch (Throwable e) { // a task may throw nothing
                failure.compareAndSet(null, e);
            }
        });
        Throwable failed = failure.get();
        if (failed != null) {
            throw new IllegalStateException("a share of an expert's product failed", failed);
        }
    }
}
