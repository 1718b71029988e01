package dev.penstock.ops;

import dev.penstock.backend.Drainable;
import dev.penstock.prompt.ServedModel;
import dev.penstock.routing.Member;
import org.jspecify.annotations.Nullable;

/** What is ready to take requests; it outlives changes of price and budget. */
sealed interface Loaded {
    /** For people. */
    String description();

    /** What is to be freed. */
    Drainable resource();

    /**
     * A backend.
     *
     * @param member as a router has it, but for its price
     * @param served the text side of its model, if it is here
     */
    record OfRouter(Member member, @Nullable ServedModel served, String description, Drainable resource)
            implements Loaded {}

    /** An encoder, which no router sees: there is but one for a model. */
    record OfEncoder(LocalEncoder resource) implements Loaded {
        @Override
        public String description() {
            return resource.description();
        }
    }
}
