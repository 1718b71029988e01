package dev.penstock.backend;

import dev.penstock.model.Generation;
import dev.penstock.model.GenerationListener;
import dev.penstock.model.GenerationRequest;

/** What the router chooses among: something that can generate with one model. */
public interface Backend {
    /** A stable name for logs, metrics and reply headers. */
    String name();

    /** The name of the model that it serves, as callers name it. */
    String model();

    /**
     * Takes a request; events go to the listener, failures too. Returns at once.
     */
    Generation submit(GenerationRequest request, GenerationListener listener);

    /** What it has to do at present. */
    Load load();

    /**
     * The work of a backend.
     *
     * @param running sequences in its batch
     * @param waiting sequences that have not begun
     * @param kvUsage share of the KV cache in use, 0 to 1
     */
    record Load(int running, int waiting, double kvUsage) {}
}
