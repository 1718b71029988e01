package dev.penstock.embed;

import dev.penstock.embed.EncoderObserver.Outcome;
import dev.penstock.model.GenerationEvent.Cause;
import dev.penstock.prompt.Encoder;
import dev.penstock.prompt.EncoderException;
import dev.penstock.prompt.EncoderInput;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Runs an encoder for all who ask, on a thread of its own: what waits at the same time is batched, whoever it came from. The
 * thread owns the runner and closes it at its end.
 */
public final class EncoderLoop implements Encoder, AutoCloseable {
    private static final Logger LOG = Logger.getLogger(EncoderLoop.class);

    /** Inputs that are looked at for a batch. */
    private static final int LOOK_AHEAD = 512;

    /** 32 MiB of them; a request that comes while nothing waits is taken in any case. */
    private static final long MAX_WAITING_TOKENS = 8L << 20;

    private final String name;
    private final EncoderRunner runner;
    private final int maxWaiting;
    private final EncoderObserver observer;
    private final Thread thread;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by the lock.
    private final List<Unit> waiting = new ArrayList<>();
    private final Set<Request> open = new HashSet<>();
    private long waitingTokens;
    private boolean draining;
    private boolean closed;

    /** A request: rows come in as batches end. */
    private static final class Request {
        final CompletableFuture<float[][]> result = new CompletableFuture<>();
        final long sinceNs = System.nanoTime();
        final float[][] rows;
        int missing;

        Request(int inputs) {
            rows = new float[inputs][];
            missing = inputs;
        }
    }

    /** One input of a request. */
    private record Unit(Request request, int place, EncoderInput input) {}

    private EncoderLoop(String name, EncoderRunner runner, int maxWaiting, EncoderObserver observer) {
        this.name = name;
        this.runner = runner;
        this.maxWaiting = maxWaiting;
        this.observer = observer;
        thread = Thread.ofPlatform().name("encoder-" + name).daemon().unstarted(this::loop);
    }

    /**
     * Starts the thread, which owns the runner from now on.
     *
     * @param name of the model
     * @param maxWaiting requests that may wait or run before new ones are refused
     */
    public static EncoderLoop start(String name, EncoderRunner runner, int maxWaiting, EncoderObserver observer) {
        EncoderLoop loop = new EncoderLoop(name, runner, maxWaiting, observer);
        loop.thread.start();
        return loop;
    }

    @Override
    public CompletableFuture<float[][]> encode(List<EncoderInput> inputs) {
        Request request = new Request(inputs.size());
        // Where its caller leaves; after any other end there is nothing left to forget.
        request.result.whenComplete((rows, failure) -> over(request));
        long tokens = 0;
        for (EncoderInput input : inputs) {
            if (input.length() < 1 || input.length() > runner.contextLength()) {
                throw new IllegalArgumentException(
                        "an input of " + input.length() + " tokens; there may be 1 to " + runner.contextLength());
            }
            tokens += input.length();
        }
        @Nullable EncoderException refusal = null;
        lock.lock();
        try {
            if (draining || closed) {
                refusal = new EncoderException(Cause.SHUTTING_DOWN, "The model " + name + " is served no more.");
            } else if (open.size() >= maxWaiting || !waiting.isEmpty() && waitingTokens + tokens > MAX_WAITING_TOKENS) {
                refusal = new EncoderException(
                        Cause.OVERLOADED, "The model " + name + " has as many requests as it can hold.");
            } else {
                open.add(request);
                for (int i = 0; i < inputs.size(); i++) {
                    waiting.add(new Unit(request, i, inputs.get(i)));
                }
                waitingTokens += tokens;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
        if (refusal != null) {
            observer.requestEnded(Outcome.REFUSED, System.nanoTime() - request.sinceNs);
            request.result.completeExceptionally(refusal);
        }
        return request.result;
    }

    /** Requests that wait or run. */
    public int open() {
        lock.lock();
        try {
            return open.size();
        } finally {
            lock.unlock();
        }
    }

    private void loop() {
        try (runner) {
            for (List<Unit> batch = next(); !batch.isEmpty(); batch = next()) {
                run(batch);
            }
        } catch (RuntimeException | Error e) {
            LOG.errorf(e, "The encoder %s has ended", name);
        } finally {
            end();
        }
    }

    /** Waits for work and takes a batch of it; empty at the end. */
    private List<Unit> next() {
        lock.lock();
        try {
            while (waiting.isEmpty() && !closed) {
                changed.awaitUninterruptibly();
            }
            if (closed) {
                return List.of();
            }
            List<Unit> ahead = waiting.subList(0, Math.min(LOOK_AHEAD, waiting.size()));
            int[] lengths = ahead.stream().mapToInt(u -> u.input.length()).toArray();
            List<Integer> places = BatchPicker.pick(lengths, OnnxEncoder.MAX_BATCH_TOKENS);
            List<Unit> batch = places.stream().map(ahead::get).toList();
            ahead.removeIf(new HashSet<>(batch)::contains);
            batch.forEach(u -> waitingTokens -= u.input.length());
            return batch;
        } finally {
            lock.unlock();
        }
    }

    private void run(List<Unit> batch) {
        List<EncoderInput> inputs = batch.stream().map(Unit::input).toList();
        long beginNs = System.nanoTime();
        float[][] rows;
        try {
            rows = runner.run(inputs);
        } catch (RuntimeException e) {
            LOG.errorf(e, "A batch of %d inputs of %s failed", batch.size(), name);
            batch.forEach(u -> fail(u.request, "The model failed; the log knows more."));
            return;
        }
        observer.batchEnded(
                batch.size(), inputs.stream().mapToInt(EncoderInput::length).sum(), System.nanoTime() - beginNs);
        for (int i = 0; i < rows.length; i++) {
            Request request = batch.get(i).request;
            if (!isFinite(rows[i])) {
                fail(request, "The model gave what is no number for this input.");
                continue;
            }
            request.rows[batch.get(i).place] = rows[i];
            if (--request.missing == 0 && request.result.complete(request.rows)) {
                observer.requestEnded(Outcome.DONE, System.nanoTime() - request.sinceNs);
            }
        }
    }

    private static boolean isFinite(float[] row) {
        for (float x : row) {
            if (!Float.isFinite(x)) {
                return false;
            }
        }
        return true;
    }

    private void fail(Request request, String message) {
        fail(request, new EncoderException(Cause.INTERNAL, message));
    }

    private void fail(Request request, EncoderException e) {
        if (request.result.completeExceptionally(e)) {
            observer.requestEnded(Outcome.FAILED, System.nanoTime() - request.sinceNs);
        }
    }

    /** Forgets a request that has its end. */
    private void over(Request request) {
        lock.lock();
        try {
            if (open.remove(request)) {
                waiting.removeIf(u -> {
                    boolean gone = u.request == request;
                    waitingTokens -= gone ? u.input.length() : 0;
                    return gone;
                });
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
        if (request.result.isCancelled()) {
            observer.requestEnded(Outcome.CANCELLED, System.nanoTime() - request.sinceNs);
        }
    }

    private void end() {
        List<Request> left;
        lock.lock();
        try {
            closed = true;
            left = List.copyOf(open);
        } finally {
            lock.unlock();
        }
        left.forEach(
                r -> fail(r, new EncoderException(Cause.SHUTTING_DOWN, "The model " + name + " is served no more.")));
    }

    /** Refuses new requests and waits until those under way have ended, at most so long. */
    public void drain(Duration limit) throws InterruptedException {
        lock.lock();
        try {
            draining = true;
            long leftNs = limit.toNanos();
            while (!open.isEmpty() && leftNs > 0) {
                leftNs = changed.awaitNanos(leftNs);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Fails what still waits, and frees the model once the batch that runs has ended. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
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
}
