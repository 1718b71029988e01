package dev.penstock.api;

import dev.penstock.routing.Router;
import jakarta.enterprise.context.ApplicationScoped;

/** Has requests answered. */
@ApplicationScoped
class Responder {
    private final Router router;
    private final ApiLimits limits;
    private final PromptSizes sizes;
    private final CallObserver observer;

    Responder(Router router, ApiLimits limits, PromptSizes sizes, CallObserver observer) {
        this.router = router;
        this.limits = limits;
        this.sizes = sizes;
        this.observer = observer;
    }

    /** Sends a request on its way and returns; its reply, or its error, goes out from the exchange's event loop. */
    void answer(Call call, Exchange exchange) {
        CallObserver.Watch watch = observer.begin(call.wire().endpoint(), call.model(), exchange::header);
        new Dispatch(call, exchange, limits, sizes, router, watch).begin();
    }
}
