package dev.penstock.routing;

import dev.penstock.backend.Backend;
import dev.penstock.backend.BackendPool;
import dev.penstock.backend.TokenBackend;
import dev.penstock.backend.WireBackend;
import dev.penstock.model.Generation;
import dev.penstock.model.GenerationEvent.Cause;
import dev.penstock.model.GenerationEvent.Failed;
import dev.penstock.model.GenerationListener;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.WireCall;
import dev.penstock.model.WireEvent;
import dev.penstock.model.WireListener;
import dev.penstock.model.WireRequest;
import dev.penstock.routing.Choice.Candidate;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** Sends each request to one of the backends that serve its model; safe for many threads. */
public final class Router {
    private final BackendPool pool;

    /** Routes among the backends of this pool, as they come and go. */
    public Router(BackendPool pool) {
        this.pool = pool;
    }

    /**
     * Submits a request to the least loaded backend of a model that takes tokens, and returns at once. Without such a backend
     * the listener gets {@link Cause#OVERLOADED} before this returns: whether a model exists at all is the catalog's to say.
     */
    public Generation submit(String model, GenerationRequest request, GenerationListener listener) {
        return leastLoaded(model, TokenBackend.class)
                .map(backend -> backend.submit(request, listener))
                .orElseGet(() -> {
                    listener.onEvent(new Failed(
                            Cause.OVERLOADED, "No backend serves the model %s at present.".formatted(model)));
                    return () -> {};
                });
    }

    /**
     * Sends a request on to the least loaded backend of a model that takes it as it was written, on the context of the caller.
     * Without such a backend the listener gets {@link WireEvent.Cause#UNAVAILABLE} before this returns.
     */
    public WireCall forward(String model, WireRequest request, WireListener listener) {
        return leastLoaded(model, WireBackend.class)
                .map(backend -> backend.forward(request, listener))
                .orElseGet(() -> {
                    listener.onEvent(new WireEvent.Failed(new WireEvent.Failure(
                            WireEvent.Cause.UNAVAILABLE,
                            "no backend serves the model %s at present".formatted(model),
                            OptionalInt.empty(),
                            null)));
                    return WireCall.NONE;
                });
    }

    private <B extends Backend> Optional<B> leastLoaded(String model, Class<B> kind) {
        List<B> backends = pool.serving(model).stream()
                .filter(kind::isInstance)
                .map(kind::cast)
                .filter(Backend::available)
                .toList();
        List<Candidate> candidates = IntStream.range(0, backends.size())
                .mapToObj(i -> new Candidate(i, backends.get(i).load()))
                .toList();
        return Choice.leastLoaded(candidates).map(choice -> backends.get(choice.backend()));
    }
}
