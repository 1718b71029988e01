package dev.penstock.routing;

import dev.penstock.model.Money;
import dev.penstock.routing.Decision.Reason;

/** Told what a router does and what came of it, for metrics; called on threads of requests, so it must return at once. */
public interface RoutingObserver {
    /** Watches nothing. */
    RoutingObserver NONE = new RoutingObserver() {};

    /** A request goes to a backend. */
    default void placed(String model, String backend, Reason reason) {}

    /** A request waits, or is refused. */
    default void notPlaced(String model, Reason reason) {}

    /** A latency that was predicted has come. */
    default void measured(String model, String backend, Latency latency) {}

    /** A request has run, and cost and saved so much. */
    default void settled(String model, String backend, Money cost, Money saved) {}

    /**
     * A latency beside what was predicted for it, in seconds.
     *
     * @param kind what was measured
     * @param predicted what was expected
     * @param bound what it was to stay within in nine of ten cases
     * @param actual what came
     */
    record Latency(Kind kind, double predicted, double bound, double actual) {
        /** The share by which the prediction was off, of what came. */
        public double error() {
            return Math.abs(predicted - actual) / actual;
        }

        /** Whether the bound held. */
        public boolean isWithinBound() {
            return actual <= bound;
        }
    }

    /** What is predicted. */
    enum Kind {
        /** The time to the first token. */
        TTFT,
        /** The mean time per token after it. */
        TPOT
    }
}
