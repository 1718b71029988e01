package dev.penstock.engine;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A runner whose steps a test lets go one by one, and can make fail. */
final class SteppedModel extends WrappedModel {
    private final Semaphore entered = new Semaphore(0);
    private final Semaphore allowed = new Semaphore(0);
    private final AtomicInteger steps = new AtomicInteger();
    private volatile boolean free;
    private volatile @Nullable Throwable failure;
    private volatile int poisonedRow = -1;
    private volatile @Nullable Thread closedBy;

    SteppedModel(ModelRunner model) {
        super(model);
    }

    /** Waits until the loop is inside a step, before it is computed. */
    void awaitStep() throws InterruptedException {
        if (!entered.tryAcquire(60, TimeUnit.SECONDS)) {
            throw new AssertionError("no step within a minute");
        }
    }

    /** Lets the step that the loop is in go on. */
    void letGo() {
        allowed.release();
    }

    /** Lets all steps go on from now on. */
    void letAllGo() {
        free = true;
        allowed.release();
    }

    /** The step that the loop is in ends with this; an unchecked exception or an error. */
    void failStep(Throwable failure) {
        this.failure = failure;
        allowed.release();
    }

    /** In the step that the loop is in, this row of logits becomes NaN. */
    void poisonRow(int row) {
        poisonedRow = row;
        allowed.release();
    }

    int steps() {
        return steps.get();
    }

    @Nullable
    Thread closedBy() {
        return closedBy;
    }

    @Override
    public MemorySegment run(StepBatch batch) {
        steps.incrementAndGet();
        if (!free) {
            entered.release();
            allowed.acquireUninterruptibly();
        }
        Throwable fails = failure;
        failure = null;
        if (fails instanceof Error e) {
            throw e;
        }
        if (fails instanceof RuntimeException e) {
            throw e;
        }
        MemorySegment logits = super.run(batch);
        if (poisonedRow >= 0) {
            long first = (long) poisonedRow * shape().vocabSize();
            logits.setAtIndex(ValueLayout.JAVA_FLOAT, first + 3, Float.NaN);
            poisonedRow = -1;
        }
        return logits;
    }

    @Override
    public void close() {
        closedBy = Thread.currentThread();
        super.close();
    }
}
