package dev.penstock.api;

import dev.penstock.model.WireCall;
import dev.penstock.model.WireEvent;
import dev.penstock.model.WireEvent.Broken;
import dev.penstock.model.WireEvent.Chunk;
import dev.penstock.model.WireEvent.Ended;
import dev.penstock.model.WireEvent.Failed;
import dev.penstock.model.WireEvent.Failure;
import dev.penstock.model.WireEvent.Rejection;
import dev.penstock.model.WireEvent.Whole;
import dev.penstock.model.WireListener;
import dev.penstock.model.WireRequest;
import dev.penstock.routing.Router;
import io.vertx.core.buffer.Buffer;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import org.jboss.logging.Logger;

/**
 * The reply of one exchange that is made elsewhere, passed on as it comes and as fast as the connection takes it. Everything
 * happens on the exchange's event loop. As with {@link Reply}, what fails before the first token gets a status of its own.
 */
final class ForwardedReply implements WireListener {
    private static final Logger LOG = Logger.getLogger(ForwardedReply.class);
    private static final Buffer DONE = Buffer.buffer("data: [DONE]\n\n");

    private final Exchange exchange;
    private final ApiLimits limits;
    private final boolean stream;
    private final StreamResponse out;
    private WireCall call = WireCall.NONE;
    private boolean over;

    ForwardedReply(Exchange exchange, ApiLimits limits, boolean stream) {
        this.exchange = exchange;
        this.limits = limits;
        this.stream = stream;
        out = new StreamResponse(exchange);
    }

    /** Sends the request on, from any thread. */
    void begin(Router router, String model, WireRequest request) {
        exchange.whenOver(this::over);
        exchange.execute(() -> {
            if (over) {
                return;
            }
            exchange.response().exceptionHandler(e -> LOG.debug("A reply could not be written", e));
            if (stream) {
                exchange.response().drainHandler(nothing -> call.resume());
                out.watch(limits.keepAlive());
            }
            call = router.forward(model, request, this);
        });
    }

    private void over() {
        over = true;
        out.over();
        call.cancel();
    }

    @Override
    public void onEvent(WireEvent event) {
        if (over || exchange.response().ended()) {
            return;
        }
        switch (event) {
            case Chunk(byte[] json) -> {
                out.sendEvent(json);
                if (exchange.response().writeQueueFull()) {
                    call.pause();
                }
            }
            case Whole(byte[] json) -> {
                exchange.response().putHeader(HttpHeaders.CONTENT_TYPE, MediaType.APPLICATION_JSON);
                exchange.response().end(Buffer.buffer(json));
            }
            case Ended ended -> {
                if (stream) {
                    out.send(DONE.copy(), true);
                }
            }
            case Failed(Failure failure) -> fail(failure);
            case Broken(Failure failure) -> fail(failure);
        }
    }

    private void fail(Failure failure) {
        LOG.debugf("A request that was sent on failed: %s", failure.message());
        ApiException error = error(failure);
        if (out.hasBegun()) {
            out.sendEvent(WireJson.error(error));
            out.send(Buffer.buffer(), true);
        } else {
            exchange.send(error);
        }
    }

    /** What the caller is told: of a request's faults all, of a server's nothing but that it has one. */
    private ApiException error(Failure failure) {
        Rejection rejection = failure.rejection();
        if (rejection != null) {
            return ApiException.rejected(rejection.status(), rejection.param(), rejection.code(), rejection.message());
        }
        return switch (failure.cause()) {
            case OVERLOADED, UNAVAILABLE ->
                ApiException.overloaded(
                        failure.retryAfterS().orElse(limits.retryAfterS()),
                        "The model's backend has no room at present.");
            case UNREACHABLE ->
                ApiException.overloaded(limits.retryAfterS(), "The model's backend can't be reached at present.");
            case TIMEOUT -> ApiException.ofStatus(504, "backend_timeout", "The model's backend takes too long.");
            case REJECTED, MISCONFIGURED, FAULT ->
                ApiException.ofStatus(502, "backend_failed", "The model's backend failed; the log knows more.");
        };
    }
}
