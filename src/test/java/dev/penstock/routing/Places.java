package dev.penstock.routing;

/** Shows tests of other packages what a router keeps to itself. */
public final class Places {
    private Places() {}

    /** Sequences of a model that have a place on a backend: none once all its requests are over. */
    public static int taken(Router router, String model) {
        ModelRoute route = router.route(model);
        return route == null ? 0 : route.inFlight();
    }
}
