package dev.penstock.engine;

import dev.penstock.engine.EngineObserver.StepSummary;
import dev.penstock.engine.Scheduler.Plan;
import dev.penstock.model.FinishReason;
import dev.penstock.model.Generation;
import dev.penstock.model.GenerationEvent.Cause;
import dev.penstock.model.GenerationListener;
import dev.penstock.model.GenerationRequest;
import dev.penstock.prompt.Tokenizer;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Generates with one model on one device: the thread that owns scheduler, blocks, runner and sampler, and the mailbox
 * through which all other threads reach it. A turn of the loop is three calls: schedule, run, publish.
 *
 * <p>The thread parks while there is nothing to do, and it never dies of an exception: a failed step fails the sequences
 * that were in it, anything unforeseen fails all that there are, and in either case the next request is served.
 */
public final class StepLoop implements AutoCloseable {
    private static final Logger LOG = System.getLogger(StepLoop.class.getName());

    private static final String GOING_DOWN = "The server is shutting down.";

    private final String name;
    private final ModelRunner runner;
    private final Tokenizer tokenizer;
    private final EngineOptions options;
    private final EngineObserver observer;
    private final int contextLength;
    private final int vocabSize;
    private final long rowBytes;
    private final RequestChecks checks;
    private final Thread thread;

    // Shared with other threads.
    private final Queue<Message> mailbox = new ConcurrentLinkedQueue<>();
    private final AtomicInteger accepted = new AtomicInteger();
    private final CountDownLatch drained = new CountDownLatch(1);
    private volatile boolean open = true;
    private volatile boolean terminated;
    private volatile EngineStats stats;

    // The loop's thread alone.
    private final Speculation speculation;
    private final Scheduler scheduler;
    private final StepBatchBuilder batches;
    private final Publisher publisher;
    private boolean draining;
    private boolean closing;
    private long deadlineNs;
    private long steps;
    private long failedSteps;

    private StepLoop(
            String name, ModelRunner runner, Tokenizer tokenizer, EngineOptions wanted, EngineObserver observer) {
        this.name = name;
        this.runner = runner;
        this.tokenizer = tokenizer;
        this.observer = new GuardedObserver(observer);
        options = wanted.fittedTo(runner);
        vocabSize = Math.min(runner.shape().vocabSize(), tokenizer.vocabSize());
        rowBytes = (long) runner.shape().vocabSize() * Float.BYTES;
        contextLength = (int) Math.min(runner.shape().contextLength(), (long) runner.blockCount() * runner.blockSize());
        checks = new RequestChecks(vocabSize, contextLength);
        KvBlocks blocks = new KvBlocks(runner.blockCount(), runner.blockSize(), options.prefixCache());
        speculation = new Speculation(vocabSize);
        scheduler = new Scheduler(options, blocks, runner.maxRowsPerStep(), speculation);
        batches = new StepBatchBuilder(options, runner.maxRowsPerStep());
        publisher = new Publisher(tokenizer, this.observer, new Sampler(vocabSize), this::release);
        stats = currentStats();
        thread = Thread.ofPlatform().name("step-loop-" + name).unstarted(this::loop);
    }

    /**
     * Starts a loop, which owns the runner from now on.
     *
     * @param name names its thread and its log lines
     * @param runner runs the steps; called on the loop's thread only, closed by {@link #close()}
     * @param tokenizer turns tokens into text; ids that it doesn't know are never sampled
     * @param options its limits
     * @param observer told what happens
     * @throws IllegalArgumentException the runner can't take two tokens a step
     */
    public static StepLoop start(
            String name, ModelRunner runner, Tokenizer tokenizer, EngineOptions options, EngineObserver observer) {
        StepLoop loop = new StepLoop(name, runner, tokenizer, options, observer);
        loop.thread.start();
        return loop;
    }

    /**
     * Takes a request from any thread and returns at once; the listener is called on the loop's thread. What is refused
     * (INVALID, OVERLOADED, SHUTTING_DOWN) is told to the listener on the caller's thread, before this returns.
     *
     * <p>A completion ends with LENGTH where prompt and completion reach {@link #contextLength()}.
     */
    public Generation submit(GenerationRequest request, GenerationListener listener) {
        Optional<String> problem = checks.problem(request);
        if (problem.isPresent()) {
            return refuse(request, listener, Cause.INVALID, problem.get());
        }
        if (!open) {
            return refuse(request, listener, Cause.SHUTTING_DOWN, GOING_DOWN);
        }
        if (accepted.incrementAndGet() > options.maxRunning() + options.maxWaiting()) {
            accepted.decrementAndGet();
            return refuse(
                    request,
                    listener,
                    Cause.OVERLOADED,
                    "All %d places are taken and %d requests wait: try again later."
                            .formatted(options.maxRunning(), options.maxWaiting()));
        }
        long seed = request.sampling().seed().orElseGet(ThreadLocalRandom.current()::nextLong);
        Sequence sequence =
                new Sequence(request, listener, tokenizer, vocabSize, contextLength, seed, System.nanoTime());
        post(new Message.Submit(sequence));
        return () -> {
            sequence.cancel();
            post(new Message.Cancel(sequence));
        };
    }

    /** Most tokens of a sequence: the model's context, or the whole KV cache where that is smaller. */
    public int contextLength() {
        return contextLength;
    }

    /** What it does at present, as of the end of the last step, with requests that came since among the waiting. */
    public EngineStats stats() {
        EngineStats last = stats;
        return last.withWaiting(Math.max(0, accepted.get() - last.running()));
    }

    /**
     * Refuses new requests from now on and waits until those that it has are done, or cuts them with SHUTTING_DOWN at the
     * end of the step in which the time is over. Not to be called by a listener.
     *
     * @param limit at most a hundred years
     */
    public void drain(Duration limit) throws InterruptedException {
        // In this order whoever is refused knows that the loop has the word.
        post(new Message.Drain(System.nanoTime() + limit.toNanos()));
        open = false;
        drained.await();
    }

    /**
     * Cuts what is left with SHUTTING_DOWN after the step that runs, ends the thread and closes the runner; returns when
     * that is done. May be called more than once.
     */
    @Override
    public void close() {
        // In this order whoever is refused knows that the loop has the word.
        post(new Message.Close());
        open = false;
        if (Thread.currentThread() == thread) {
            return;
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Its state, for a look at it on the loop's own thread. */
    Scheduler scheduler() {
        return scheduler;
    }

    /** The thread that holds all of its state. */
    Thread thread() {
        return thread;
    }

    private void loop() {
        try {
            SamplerWarmUp.run(mailbox::isEmpty);
            while (!closing) {
                turnOrRecover();
            }
            cutAll(Cause.SHUTTING_DOWN, GOING_DOWN);
        } finally {
            terminated = true;
            refuseMail();
            drained.countDown();
            closeRunner();
        }
    }

    private void turnOrRecover() {
        try {
            turn();
        } catch (Throwable e) {
            try {
                recover(e);
            } catch (Throwable again) {
                // A heap so full that not even the failure can be told: the next turn begins with what is left.
                LOG.log(Level.ERROR, "Recovery failed", again);
            }
        }
    }

    private void closeRunner() {
        try {
            runner.close();
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, () -> "The runner of " + name + " could not be closed", e);
        }
    }

    private void turn() {
        long beginNs = System.nanoTime();
        readMail(beginNs);
        Plan plan = scheduler.plan(beginNs);
        if (plan.isEmpty()) {
            rest();
            return;
        }
        double promptContext = scheduler.promptContext();
        StepBatch batch = batches.build(scheduler.running());
        long scheduledNs = System.nanoTime();
        MemorySegment logits = run(batch);
        long ranNs = System.nanoTime();
        if (logits != null) {
            publish(logits);
        }
        long endNs = System.nanoTime();
        speculation.stepTook(batch.tokens(), plan.promptTokens(), endNs - beginNs);
        stats = currentStats();
        observer.stepEnded(new StepSummary(
                scheduledNs - beginNs,
                ranNs - scheduledNs,
                endNs - ranNs,
                plan.decodeTokens(),
                plan.promptTokens(),
                promptContext,
                batch.sequences(),
                batch.kvTokens(),
                plan.preemptions(),
                logits == null));
    }

    private void readMail(long nowNs) {
        for (Message message = mailbox.poll(); message != null; message = mailbox.poll()) {
            switch (message) {
                case Message.Submit submit -> scheduler.add(submit.sequence());
                case Message.Cancel cancel -> publisher.finish(cancel.sequence(), FinishReason.CANCELLED);
                case Message.Drain drain -> {
                    draining = true;
                    deadlineNs = drain.deadlineNs();
                }
                case Message.Close ignored -> {
                    closing = true;
                    cutAll(Cause.SHUTTING_DOWN, GOING_DOWN);
                }
            }
        }
        if (draining && nowNs - deadlineNs >= 0) {
            cutAll(Cause.SHUTTING_DOWN, "The server is shutting down, and the time to finish is over.");
        }
    }

    /** Parks until there is mail; all that there was is done. */
    private void rest() {
        stats = currentStats();
        if (draining) {
            drained.countDown();
        }
        if (mailbox.isEmpty() && !closing) {
            LockSupport.park(this);
        }
    }

    /** The step's logits; null if it failed, and then its sequences have failed with it. */
    private @Nullable MemorySegment run(StepBatch batch) {
        steps++;
        try {
            return runner.run(batch);
        } catch (Throwable e) {
            // Errors too: see recover.
            failedSteps++;
            LOG.log(Level.ERROR, () -> "A step of " + name + " failed", e);
            for (Sequence sequence : scheduler.all()) {
                if (sequence.planned() > 0) {
                    publisher.fail(sequence, Cause.INTERNAL, "The model's step failed: " + e.getMessage());
                }
            }
            return null;
        }
    }

    private void publish(MemorySegment logits) {
        long offset = 0;
        for (Sequence sequence : List.copyOf(scheduler.running())) {
            if (sequence.planned() == 0) {
                continue;
            }
            int rows = sequence.rows();
            scheduler.advance(sequence);
            if (sequence.isCancelled()) {
                publisher.finish(sequence, FinishReason.CANCELLED);
            }
            publishRows(sequence, logits, offset);
            offset += rows * rowBytes;
        }
    }

    /** The rows of a sequence, as far as they are of use: a row behind a wrong draft isn't. */
    private void publishRows(Sequence sequence, MemorySegment logits, long offset) {
        for (long at = offset; !sequence.isEnded() && sequence.hasRow(); at += rowBytes) {
            boolean scores = sequence.scoresPrompt();
            publisher.next(sequence, logits, at);
            if (!scores && !sequence.isEnded()) {
                scheduler.appended(sequence);
            }
        }
    }

    /** Something outside of a step failed, so nothing that the loop holds can be relied on: it starts from nothing. */
    private void recover(Throwable failure) {
        LOG.log(Level.ERROR, () -> "The step loop " + name + " failed", failure);
        for (Sequence sequence : scheduler.reset()) {
            publisher.fail(sequence, Cause.INTERNAL, "The engine failed: " + failure.getMessage());
        }
    }

    private void cutAll(Cause cause, String message) {
        scheduler.all().forEach(sequence -> publisher.fail(sequence, cause, message));
    }

    private void release(Sequence sequence) {
        scheduler.remove(sequence);
        accepted.decrementAndGet();
        // Whoever hears of a sequence's end finds its blocks free.
        stats = currentStats();
    }

    private void post(Message message) {
        mailbox.add(message);
        LockSupport.unpark(thread);
        if (terminated) {
            refuseMail();
        }
    }

    /** Answers what nobody reads any more. */
    private void refuseMail() {
        for (Message message = mailbox.poll(); message != null; message = mailbox.poll()) {
            if (message instanceof Message.Submit submit) {
                publisher.fail(submit.sequence(), Cause.SHUTTING_DOWN, GOING_DOWN);
            }
        }
    }

    private Generation refuse(GenerationRequest request, GenerationListener listener, Cause cause, String message) {
        publisher.refuse(request, listener, cause, message);
        return () -> {};
    }

    private EngineStats currentStats() {
        KvBlocks blocks = scheduler.blocks();
        return new EngineStats(
                scheduler.running().size(),
                scheduler.waiting(),
                blocks.blockCount(),
                blocks.used(),
                blocks.cached(),
                steps,
                failedSteps,
                scheduler.promptTokens(),
                scheduler.cachedPromptTokens(),
                publisher.completionTokens(),
                scheduler.preemptions(),
                scheduler.draftedTokens(),
                scheduler.acceptedTokens());
    }

    /** What other threads tell the loop. */
    private sealed interface Message {
        record Submit(Sequence sequence) implements Message {}

        record Cancel(Sequence sequence) implements Message {}

        record Drain(long deadlineNs) implements Message {}

        record Close() implements Message {}
    }
}
