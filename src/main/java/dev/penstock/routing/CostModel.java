package dev.penstock.routing;

import dev.penstock.model.Money;
import dev.penstock.model.Price;
import dev.penstock.model.Usage;

/** What a request adds to the bill, in nano-dollars. */
final class CostModel {
    private static final double SECONDS_PER_HOUR = 3600;

    private CostModel() {}

    /**
     * Rented: the price of the time for which the backend is at work longer, so that an idle one bears its base step too.
     * Metered: the price of its tokens. Either as often as it has to be tried.
     */
    static double marginal(BackendState s, Demand demand, Prediction p) {
        double once = switch (s.price()) {
            case Price.PerHour(var hour) -> hour.nanoUsd() / SECONDS_PER_HOUR * p.busySeconds;
            case Price.PerToken t ->
                (double) t.prompt() * (demand.promptTokens() - p.cached)
                        + (double) t.cached() * p.cached
                        + t.completion() * p.expectedTokens;
        };
        return once / (1 - Math.min(0.9, s.failureShare()));
    }

    /** What a request that ran has cost. */
    static Money actual(Reservation r, Usage usage) {
        return switch (r.price) {
            case Price.PerToken t -> t.of(usage);
            case Price.PerHour(var hour) -> {
                double decodeSeconds = (r.busySeconds - r.promptSeconds) * usage.completionTokens() / r.expectedTokens;
                yield Money.ofNanoUsd(hour.nanoUsd() / SECONDS_PER_HOUR * (r.promptSeconds + decodeSeconds));
            }
        };
    }

    /** What a caller with this price limit would pay at most for such a request. */
    static double ceiling(Price.PerToken limit, Demand demand, Prediction p) {
        return (double) limit.prompt() * demand.promptTokens() + limit.completion() * p.expectedTokens;
    }

    /**
     * The share of such requests that misses a limit, from what is expected and the bound of nine in ten: logistic in the
     * logarithm, whose tails are heavier than the normal ones.
     */
    static double missShare(double limit, double expected, double bound) {
        if (limit >= 4 * bound) {
            return 0;
        }
        if (limit <= 0) {
            return 1;
        }
        double spread = Math.max(0.02, Math.log(bound / expected));
        // ln 9 is where the logistic curve has nine tenths.
        return 1 / (1 + Math.exp(Math.log(9) * Math.log(limit / expected) / spread));
    }
}
