package dev.penstock.onnx.parallel;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Threads of one session that wait for work by spinning, since a step is some hundred pieces of work of a tenth of a
 * millisecond with gaps of a few microseconds between them; without work for longer they sleep.
 *
 * <p>Numbers are claimed, not dealt: the caller takes whatever no worker has begun, so it waits only for work under way,
 * and a worker that the operating system holds up holds up nobody else. Runs come from one thread at a time.
 */
public final class SpinPool implements Workers, AutoCloseable {
    /** How long a worker spins without work: several times the longest gap within a step. */
    private static final long SPIN_NS = 300_000;

    /** Looks at the job between two looks at the clock. */
    private static final int LOOKS = 64;

    private final Worker[] workers;
    private volatile @Nullable Job job;
    private volatile boolean closed;

    /** A pool in which so many threads work, the caller included; the others are named by {@code name} and a number. */
    public SpinPool(int threads, String name) {
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker();
            workers[i].thread =
                    Thread.ofPlatform().name(name + "-" + (i + 1)).daemon().unstarted(workers[i]);
        }
        for (Worker worker : workers) {
            worker.thread.start();
        }
    }

    private static final class Job {
        final Task task;
        final int tasks;
        final AtomicInteger next = new AtomicInteger();
        final AtomicInteger done = new AtomicInteger();

        Job(Task task, int tasks) {
            this.task = task;
            this.tasks = tasks;
        }

        void work() {
            for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
                try {
                    task.run(i);
                } finally {
                    done.incrementAndGet();
                }
            }
        }
    }

    private final class Worker implements Runnable {
        private Thread thread = Thread.currentThread();
        private volatile boolean asleep;

        @Override
        public void run() {
            Job last = null;
            long idleSinceNs = System.nanoTime();
            while (!closed) {
                Job current = job;
                if (current != null && current != last) {
                    current.work();
                    last = current;
                    idleSinceNs = System.nanoTime();
                    continue;
                }
                for (int i = 0; i < LOOKS && job == last; i++) {
                    Thread.onSpinWait();
                }
                if (job == last && System.nanoTime() - idleSinceNs > SPIN_NS) {
                    asleep = true;
                    // Whoever sets a job looks at `asleep` afterwards, so one of the two sees the other's change.
                    while (job == last && !closed) {
                        LockSupport.park(SpinPool.this);
                    }
                    asleep = false;
                    idleSinceNs = System.nanoTime();
                }
            }
        }
    }

    @Override
    public int count() {
        return workers.length + 1;
    }

    @Override
    public void run(int tasks, Task task) {
        if (tasks <= 1 || workers.length == 0) {
            for (int i = 0; i < tasks; i++) {
                task.run(i);
            }
            return;
        }
        Job fresh = new Job(task, tasks);
        job = fresh;
        for (Worker worker : workers) {
            if (worker.asleep) {
                LockSupport.unpark(worker.thread);
            }
        }
        fresh.work();
        while (fresh.done.get() < tasks) {
            Thread.onSpinWait();
        }
    }

    /** Ends the threads and waits until they are gone. */
    @Override
    public void close() {
        closed = true;
        for (Worker worker : workers) {
            LockSupport.unpark(worker.thread);
        }
        boolean interrupted = false;
        for (Worker worker : workers) {
            while (worker.thread.isAlive()) {
                try {
                    worker.thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
