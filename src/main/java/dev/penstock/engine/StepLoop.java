package dev.penstock.engine;

import dev.penstock.model.Generation;
import dev.penstock.model.GenerationListener;
import dev.penstock.model.GenerationRequest;
import dev.penstock.prompt.Tokenizer;
import java.time.Duration;

/** Generates with one model on one device; one thread of its own holds all state. */
public final class StepLoop implements AutoCloseable {
    private StepLoop() {}

    /**
     * Starts a loop, which owns the runner from now on.
     *
     * @param name names its thread and its log lines
     * @param runner runs the steps; closed by {@link #close()}
     * @param tokenizer turns tokens into text
     * @param options its limits
     * @param observer told what happens
     */
    public static StepLoop start(
            String name, ModelRunner runner, Tokenizer tokenizer, EngineOptions options, EngineObserver observer) {
        throw new IllegalStateException("being written");
    }

    /**
     * Takes a request from any thread and returns at once; the listener is called on the loop's thread. What is refused
     * (INVALID, OVERLOADED, SHUTTING_DOWN) is told to the listener on the caller's thread, before this returns.
     */
    public Generation submit(GenerationRequest request, GenerationListener listener) {
        throw new IllegalStateException("being written");
    }

    /** Most tokens of a sequence: the model's context, or the whole KV cache where that is smaller. */
    public int contextLength() {
        throw new IllegalStateException("being written");
    }

    /** What it does at present; any thread. */
    public EngineStats stats() {
        throw new IllegalStateException("being written");
    }

    /**
     * Refuses new requests from now on and waits until those that it has are done, or cuts them with SHUTTING_DOWN when
     * the time is over.
     */
    public void drain(Duration limit) throws InterruptedException {
        throw new IllegalStateException("being written");
    }

    /** Cuts what is left with SHUTTING_DOWN, ends the thread and closes the runner. May be called more than once. */
    @Override
    public void close() {}
}
