package dev.penstock.routing;

import dev.penstock.model.Budget;
import java.util.List;

/**
 * A request that looks for a backend.
 *
 * @param caller whose lengths of output it is likely to share
 * @param sequences at least one: a generation each
 * @param prefix what its prompt begins with
 * @param budget what it allows; what it leaves out is the model's to say
 * @param priority whom to refuse first when not all can be served: the lowest
 * @param replicasOnly whether it must not be sent on to servers elsewhere
 */
public record RouteRequest(
        String caller, List<Size> sequences, Prefix prefix, Budget budget, int priority, boolean replicasOnly) {
    /** One that may run anywhere. */
    public RouteRequest(String caller, List<Size> sequences, Prefix prefix, Budget budget, int priority) {
        this(caller, sequences, prefix, budget, priority, false);
    }

    /**
     * A generation.
     *
     * @param promptTokens tokens of its prompt, as far as they can be known before it runs
     * @param maxTokens the most that it may sample
     */
    public record Size(int promptTokens, int maxTokens) {}
}
