package dev.penstock.routing;

import dev.penstock.model.Budget;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Finds for each request the cheapest backend of its model whose latency fits: {@link RouterCore} on real time, with those
 * that wait and what is told of those that run. Safe for many threads.
 */
public final class Router implements AutoCloseable {
    private final Map<String, ModelRoute> routes = new ConcurrentHashMap<>();
    private final RouterOptions options;
    private final RoutingObserver observer;
    private final LongSupplier nanoTime;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("penstock-router").factory());

    /** A router of no models. */
    public Router(RouterOptions options, RoutingObserver observer) {
        this(options, observer, System::nanoTime);
    }

    Router(RouterOptions options, RoutingObserver observer, LongSupplier nanoTime) {
        this.options = options;
        this.observer = observer;
        this.nanoTime = nanoTime;
    }

    /**
     * Serves a model with these backends from now on; requests that run elsewhere go on, those that wait are asked for again. For
     * one thread at a time.
     *
     * @param defaults what requests allow that don't say it themselves
     */
    public void serve(String model, Budget defaults, List<Member> members) {
        ModelRoute before = routes.get(model);
        routes.put(model, new ModelRoute(model, defaults, members, options, observer, nanoTime, timer, before));
        retire(before);
    }

    /** Serves a model no more; requests that run go on, those that wait are refused. */
    public void withdraw(String model) {
        retire(routes.remove(model));
    }

    private static void retire(@Nullable ModelRoute old) {
        if (old != null) {
            old.close().forEach(Asking::begin);
        }
    }

    /** A request that looks for a backend of a model; {@link Asking#begin} makes it so. */
    public Asking asking(String model, RouteRequest request, Asker asker) {
        return new Asking(this, model, request, asker, nanoTime.getAsLong());
    }

    /** What each backend of a model would answer to a request now; takes no place. */
    public List<Quote> quotes(String model, RouteRequest request) {
        ModelRoute route = routes.get(model);
        return route == null ? List.of() : route.quotes(asking(model, request, NOBODY));
    }

    @Nullable
    ModelRoute route(String model) {
        return routes.get(model);
    }

    /** Refuses those that wait; those that run go on. */
    @Override
    public void close() {
        routes.keySet().forEach(this::withdraw);
        timer.shutdown();
    }

    private static final Asker NOBODY = new Asker() {
        @Override
        public void run(Placement placement) {
            placement.left();
        }

        @Override
        public void refuse(Decision.Shed shed) {}
    };
}
