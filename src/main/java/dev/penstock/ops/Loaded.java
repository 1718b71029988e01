package dev.penstock.ops;

import dev.penstock.backend.Drainable;
import dev.penstock.prompt.ServedModel;
import dev.penstock.routing.Member;
import org.jspecify.annotations.Nullable;

/**
 * A backend that is ready; it outlives changes of price and budget.
 *
 * @param member as a router has it, but for its price
 * @param served the text side of its model, if it is here
 * @param description for people
 * @param resource what is to be freed
 */
record Loaded(Member member, @Nullable ServedModel served, String description, Drainable resource) {}
