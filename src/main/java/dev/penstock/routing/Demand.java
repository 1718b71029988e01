package dev.penstock.routing;

import dev.penstock.model.Budget;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

/**
 * What a request asks of a backend.
 *
 * @param caller whose lengths of output it is likely to share
 * @param promptTokens tokens of the prompt, at least one
 * @param maxTokens the most tokens that it may sample, at least one
 * @param cachedTokens prompt tokens that a backend, by name, is expected to hold in its prefix cache; none for others
 * @param budget what it allows
 * @param priority whom to refuse first when not all can be served: the lowest
 * @param arrivedNs when it arrived, by the router's clock
 * @param tried backends, by name, that it is not to be sent to again
 */
public record Demand(
        String caller,
        int promptTokens,
        int maxTokens,
        Map<String, Integer> cachedTokens,
        Budget budget,
        int priority,
        long arrivedNs,
        Set<String> tried) {
    public Demand {
        if (promptTokens < 1 || maxTokens < 1) {
            throw new IllegalArgumentException(
                    "A request has at least one token of prompt and of output, not %d and %d."
                            .formatted(promptTokens, maxTokens));
        }
    }

    /** One that was sent nowhere yet. */
    public Demand(
            String caller,
            int promptTokens,
            int maxTokens,
            Map<String, Integer> cachedTokens,
            Budget budget,
            int priority,
            long arrivedNs) {
        this(caller, promptTokens, maxTokens, cachedTokens, budget, priority, arrivedNs, Set.of());
    }

    /** When its first token, or without such a limit its last one, must have come; the end of time without any. */
    public long deadlineNs() {
        Duration limit = budget.ttft() == null ? budget.endToEnd() : budget.ttft();
        return limit == null ? Long.MAX_VALUE : arrivedNs + limit.toNanos();
    }

    /** Prompt tokens that this backend needn't compute; the last token is always computed. */
    int cachedOn(String backend) {
        return cachedTokens.isEmpty() ? 0 : Math.clamp(cachedTokens.getOrDefault(backend, 0), 0, promptTokens - 1);
    }
}
