package dev.penstock.api;

import dev.penstock.model.Usage;
import dev.penstock.model.WireRequest.Endpoint;
import dev.penstock.routing.Placement;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Told of each request that was read what becomes of it, for traces; called on its threads, so all must return at once. */
public interface CallObserver {
    /** Watches nothing. */
    CallObserver NONE = (endpoint, model, headers) -> new Watch() {};

    /**
     * A request is on its way.
     *
     * @param model as its caller named it
     * @param headers its headers by name
     */
    Watch begin(Endpoint endpoint, String model, Function<String, @Nullable String> headers);

    /** What becomes of one request; from several threads, one after the other. */
    interface Watch {
        /** It goes to a backend. */
        default void placed(Placement placement) {}

        /** That backend has failed it, and another one is sought. */
        default void movedOn(Placement from, ApiException error) {}

        /** It was answered, with these tokens. */
        default void answered(Placement by, Usage usage) {}

        /** It was answered by an encoder of this process, with so many tokens of input. */
        default void answered(int promptTokens) {}

        /** It ends with an error. */
        default void failed(ApiException error) {}

        /** The exchange is over, in whatever way. */
        default void over() {}
    }
}
