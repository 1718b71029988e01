package dev.penstock.model;

/** Receives what comes of a request that was sent on. */
@FunctionalInterface
public interface WireListener {
    /** Takes one event, on the context on which the request was sent; must neither block nor throw. */
    void onEvent(WireEvent event);
}
