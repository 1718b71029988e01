package dev.penstock.api;

import dev.penstock.model.WireRequest;
import dev.penstock.routing.RouteRequest;
import org.jspecify.annotations.Nullable;

/**
 * A request that was read, in the forms that backends take.
 *
 * @param model as the caller named it
 * @param wire as it came
 * @param job as tokens; null where the model is only elsewhere
 * @param route what decides where it runs
 */
record Call(String model, WireRequest wire, @Nullable Job job, RouteRequest route) {}
