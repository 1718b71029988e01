package dev.penstock.backend;

import dev.penstock.model.Generation;
import dev.penstock.model.GenerationListener;
import dev.penstock.model.GenerationRequest;

/** A backend that takes token ids and gives text as it is made: a model in this process. */
public non-sealed interface TokenBackend extends Backend {
    /** Takes a request; events go to the listener, failures too. Returns at once. */
    Generation submit(GenerationRequest request, GenerationListener listener);

    /** Always: it queues or refuses by itself. */
    @Override
    default boolean available() {
        return true;
    }
}
