package dev.penstock.routing;

import java.time.Duration;

/** What becomes of a request. */
public sealed interface Decision {
    /** Why, in few values, for metrics. */
    Reason reason();

    /**
     * It runs on a backend, where its place is taken already.
     *
     * @param reservation its place; must be ended, whatever becomes of the request
     */
    record Run(Reservation reservation, Quote quote, Reason reason) implements Decision {}

    /**
     * It waits: nothing fits now, but will.
     *
     * @param untilNs when to ask again at the latest, by the router's clock
     */
    record Wait(long untilNs, Reason reason) implements Decision {}

    /**
     * It is refused.
     *
     * @param retryAfter when such a request would fit, by what is predicted
     */
    record Shed(Duration retryAfter, Reason reason) implements Decision {
        /** There is no room to wait. */
        static final Shed FULL = new Shed(Duration.ofSeconds(1), Reason.SATURATED);

        /** There is no backend. */
        static final Shed NOWHERE = new Shed(Duration.ZERO, Reason.NO_BACKEND);
    }

    /** Why a decision was taken. */
    enum Reason {
        /** The cheapest that fits. */
        CHEAPEST,
        /** About as cheap as the cheapest, and it holds more of the prompt's beginning. */
        PREFIX_WARM,
        /** About as cheap as the cheapest, and fuller, so that others can drain. */
        FULLEST,
        /** The fastest that fits, as the request wished. */
        FASTEST,
        /** One that was not seen for long, or whose kind has yet to prove that it fits nothing, to learn what it does. */
        EXPLORED,
        /** Nothing else fits, so that a backend kept for that takes it. */
        SPILLED,
        /** Nothing fits, but the request may be late. */
        BEST_EFFORT,
        /** Something will fit soon enough. */
        WAITING,
        /** Nothing fits. */
        SATURATED,
        /** Its budget allows no backend whatever the load. */
        NO_BACKEND
    }
}
