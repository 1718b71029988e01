package dev.penstock.ops.simulate;

import dev.penstock.model.Budget;
import java.time.Duration;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * A request of a trace.
 *
 * @param arrivalNs when it comes
 * @param promptTokens tokens of its prompt
 * @param outputTokens tokens that it will sample, which no one knows before
 * @param hurry what it allows
 */
public record SimRequest(long arrivalNs, int promptTokens, int outputTokens, Hurry hurry) {
    /** Budgets that requests come with. */
    public enum Hurry {
        /** Someone watches. */
        INTERACTIVE(0.5, Budget.ofLatency(Duration.ofSeconds(2), Duration.ofMillis(120), null)),
        /** Someone waits. */
        RELAXED(0.3, Budget.ofLatency(Duration.ofSeconds(10), Duration.ofMillis(250), null)),
        /** No one does. */
        BATCH(0.2, Budget.ofLatency(null, null, Duration.ofMinutes(2)));

        final double share;
        final Budget budget;

        Hurry(double share, Budget budget) {
            this.share = share;
            this.budget = budget;
        }

        /** One by its share. */
        static Hurry draw(SplittableRandom random) {
            double at = random.nextDouble();
            for (Hurry h : values()) {
                at -= h.share;
                if (at < 0) {
                    return h;
                }
            }
            return BATCH;
        }

        /** Whether these latencies, in seconds, keep the budget. */
        boolean keeps(double ttft, double tpot, double endToEnd) {
            return within(ttft, budget.ttft()) && within(tpot, budget.tpot()) && within(endToEnd, budget.endToEnd());
        }

        private static boolean within(double seconds, @Nullable Duration limit) {
            return limit == null || seconds <= limit.toNanos() * 1e-9;
        }
    }
}
