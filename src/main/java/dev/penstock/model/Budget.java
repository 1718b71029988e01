package dev.penstock.model;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a request allows. What is absent is not limited.
 *
 * @param ttft from arrival to the first token
 * @param tpot mean time for each token after the first
 * @param endToEnd from arrival to the last token
 * @param maxPrice the most it may cost, by its tokens, whatever the backend's own kind of price is
 * @param sort what is sought among the backends that fit
 */
public record Budget(
        @Nullable Duration ttft,
        @Nullable Duration tpot,
        @Nullable Duration endToEnd,
        Price.@Nullable PerToken maxPrice,
        Sort sort) {
    /** No limits, the cheapest. */
    public static final Budget NONE = new Budget(null, null, null, null, Sort.PRICE);

    public Budget {
        requirePositive("TTFT", ttft);
        requirePositive("TPOT", tpot);
        requirePositive("end-to-end", endToEnd);
    }

    /** Limits of latency only. */
    public static Budget ofLatency(@Nullable Duration ttft, @Nullable Duration tpot, @Nullable Duration endToEnd) {
        return new Budget(ttft, tpot, endToEnd, null, Sort.PRICE);
    }

    /** The same, with the limits of another where it has none. */
    public Budget or(Budget defaults) {
        return new Budget(
                ttft == null ? defaults.ttft : ttft,
                tpot == null ? defaults.tpot : tpot,
                endToEnd == null ? defaults.endToEnd : endToEnd,
                maxPrice == null ? defaults.maxPrice : maxPrice,
                sort == Sort.PRICE ? defaults.sort : sort);
    }

    private static void requirePositive(String name, @Nullable Duration limit) {
        if (limit != null && !limit.isPositive()) {
            throw new IllegalArgumentException("The %s budget must be positive, not %s.".formatted(name, limit));
        }
    }

    /** What is sought among the backends that fit; OpenRouter's names. */
    public enum Sort {
        /** The least cost. */
        PRICE,
        /** The least time to the first token. */
        LATENCY,
        /** The least time per token. */
        THROUGHPUT
    }
}
