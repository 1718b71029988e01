package dev.penstock.backend;

import dev.penstock.model.WireCall;
import dev.penstock.model.WireListener;
import dev.penstock.model.WireRequest;

/** A backend that takes a request as its caller wrote it and gives the reply as it comes: a server elsewhere. */
public non-sealed interface WireBackend extends Backend {
    /**
     * Sends a request on; what comes of it goes to the listener, failures too. To be called on a Vert.x context, on which
     * the listener is called as well, and {@link WireCall} must be; returns at once.
     */
    WireCall forward(WireRequest request, WireListener listener);
}
