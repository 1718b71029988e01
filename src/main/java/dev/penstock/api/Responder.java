package dev.penstock.api;

import dev.penstock.routing.Router;
import jakarta.enterprise.context.ApplicationScoped;

/** Runs jobs and lets each one's reply be written as it comes. */
@ApplicationScoped
class Responder {
    private final Router router;
    private final ApiLimits limits;

    Responder(Router router, ApiLimits limits) {
        this.router = router;
        this.limits = limits;
    }

    /** Submits a job and returns; its reply, or its error, goes out from the exchange's event loop. */
    void answer(Job job, ReplyFormat format, Exchange exchange) {
        Reply reply = new Reply(job, format, exchange, limits);
        try {
            reply.choices().submit(router, job);
        } finally {
            exchange.whenOver(reply::over);
        }
        reply.begin();
    }
}
