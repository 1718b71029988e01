package dev.penstock.backend;

import dev.penstock.engine.EngineStats;
import dev.penstock.engine.StepLoop;
import dev.penstock.model.Generation;
import dev.penstock.model.GenerationListener;
import dev.penstock.model.GenerationRequest;
import java.time.Duration;

/** A variant on a device of this process: the backend over a step loop, which it owns. */
public final class Replica implements TokenBackend, Drainable {
    private final String name;
    private final String model;
    private final StepLoop loop;

    /**
     * Over a running loop.
     *
     * @param name a stable name for logs, metrics and reply headers
     * @param model what callers name in {@code model}
     */
    public Replica(String name, String model, StepLoop loop) {
        this.name = name;
        this.model = model;
        this.loop = loop;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String model() {
        return model;
    }

    @Override
    public Generation submit(GenerationRequest request, GenerationListener listener) {
        return loop.submit(request, listener);
    }

    @Override
    public Load load() {
        EngineStats stats = loop.stats();
        return new Load(stats.running(), stats.waiting(), stats.kvUsage());
    }

    /** What its loop counts, for metrics. */
    public EngineStats stats() {
        return loop.stats();
    }

    /** Refuses new requests and waits for those under way; see {@link StepLoop#drain}. */
    @Override
    public void drain(Duration limit) throws InterruptedException {
        loop.drain(limit);
    }

    /** Ends the loop and frees the device's memory. */
    @Override
    public void close() {
        loop.close();
    }
}
