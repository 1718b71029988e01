package dev.penstock.hardware;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntToDoubleFunction;

/** Runs the same work on several threads at once, and times from the first start to the last end. */
public final class ParallelTiming {
    private ParallelTiming() {}

    /** Keeps results alive, so that the compiler cannot drop the work. */
    private static final AtomicLong SINK = new AtomicLong();

    /**
     * The shortest of several rounds, in seconds.
     *
     * @param work gets the thread's index and returns something that depends on all it did
     */
    public static double bestSeconds(int threads, int rounds, IntToDoubleFunction work) {
        AtomicLong names = new AtomicLong();
        double best = Double.POSITIVE_INFINITY;
        try (ExecutorService pool = Executors.newFixedThreadPool(
                threads,
                r -> Thread.ofPlatform()
                        .name("hardware-probe-" + names.getAndIncrement())
                        .unstarted(r))) {
            for (int round = 0; round < rounds; round++) {
                CyclicBarrier start = new CyclicBarrier(threads);
                List<Callable<long[]>> tasks = new ArrayList<>();
                for (int t = 0; t < threads; t++) {
                    int thread = t;
                    tasks.add(() -> run(start, work, thread));
                }
                long firstNs = Long.MAX_VALUE;
                long lastNs = Long.MIN_VALUE;
                for (Future<long[]> span : pool.invokeAll(tasks)) {
                    firstNs = Math.min(firstNs, span.get()[0]);
                    lastNs = Math.max(lastNs, span.get()[1]);
                }
                best = Math.min(best, (lastNs - firstNs) / 1e9);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while measuring the machine", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("measuring the machine failed: " + e.getCause(), e);
        }
        return best;
    }

    private static long[] run(CyclicBarrier start, IntToDoubleFunction work, int thread)
            throws InterruptedException, BrokenBarrierException {
        start.await();
        // System.nanoTime is one clock for all threads on the systems that the JVM runs on.
        long beginNs = System.nanoTime();
        double result = work.applyAsDouble(thread);
        long endNs = System.nanoTime();
        SINK.addAndGet(Double.doubleToRawLongBits(result));
        return new long[] {beginNs, endNs};
    }
}
