package dev.penstock.ops;

import java.time.Duration;

/** Brings the configured models into this process, and frees them in the end. */
public interface ModelLoader {
    /**
     * Loads all models into the registry; blocks until each can answer.
     *
     * @throws StartException a model can't be loaded; the message says which and why, in one line
     */
    void load(ModelRegistry registry);

    /** Refuses new requests, gives those under way this long, cuts the rest and frees the models. */
    void close(Duration drainLimit) throws InterruptedException;
}
