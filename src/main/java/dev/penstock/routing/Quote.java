package dev.penstock.routing;

import dev.penstock.model.Money;
import java.time.Duration;

/**
 * A backend's answer to a request before it runs.
 *
 * @param backend its name
 * @param ttft time to the first token
 * @param tpot mean time per token after the first
 * @param endToEnd both together, for as many tokens as such requests have
 * @param cost what it would add to the bill
 * @param fit whether it fits the budget, or what stands against it
 */
public record Quote(String backend, Latency ttft, Latency tpot, Latency endToEnd, Money cost, Fit fit) {
    /**
     * A predicted latency.
     *
     * @param mean what to expect
     * @param p90 what nine in ten stay within
     */
    public record Latency(Duration mean, Duration p90) {
        static Latency ofSeconds(double mean, double p90) {
            return new Latency(seconds(mean), seconds(p90));
        }

        private static Duration seconds(double seconds) {
            return Duration.ofNanos(Math.round(seconds * 1e9));
        }
    }

    /** Whether a backend fits a budget, or the first thing that stands against it. */
    public enum Fit {
        /** It fits. */
        FEASIBLE,
        /** It takes no requests at present. */
        DOWN,
        /** Prompt and output are longer than it can hold. */
        TOO_LONG,
        /** The request's price limit is below its cost. */
        TOO_DEAR,
        /** The first token would come too late. */
        TTFT,
        /** Tokens would come too slowly. */
        TPOT,
        /** The last token would come too late. */
        END_TO_END,
        /** It fits, but a request that runs there would miss its own budget. */
        HARMS_OTHERS
    }
}
