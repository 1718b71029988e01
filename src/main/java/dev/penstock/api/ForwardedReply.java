package dev.penstock.api;

import dev.penstock.backend.WireBackend;
import dev.penstock.model.Usage;
import dev.penstock.model.WireCall;
import dev.penstock.model.WireEvent;
import dev.penstock.model.WireEvent.Broken;
import dev.penstock.model.WireEvent.Cause;
import dev.penstock.model.WireEvent.Chunk;
import dev.penstock.model.WireEvent.Ended;
import dev.penstock.model.WireEvent.Failed;
import dev.penstock.model.WireEvent.Failure;
import dev.penstock.model.WireEvent.Rejection;
import dev.penstock.model.WireEvent.Whole;
import dev.penstock.model.WireListener;
import dev.penstock.model.WireRequest;
import dev.penstock.routing.Placement;
import io.vertx.core.buffer.Buffer;
import java.util.OptionalInt;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The reply that is made elsewhere, passed on as it comes and as fast as the connection takes it. Everything happens on the
 * exchange's event loop. As with {@link Reply}, what fails before the first token gets a status of its own, or another backend.
 */
final class ForwardedReply implements Attempt, WireListener {
    private static final Logger LOG = Logger.getLogger(ForwardedReply.class);
    private static final Buffer DONE = Buffer.buffer("data: [DONE]\n\n");

    private final Dispatch dispatch;
    private final WireBackend backend;
    private final Placement placement;
    private final Exchange exchange;
    private final WireRequest request;
    private WireCall call = WireCall.NONE;
    private byte @Nullable [] whole;
    private int tokens;
    private boolean over;

    ForwardedReply(Dispatch dispatch, WireBackend backend, Placement placement) {
        this.dispatch = dispatch;
        this.backend = backend;
        this.placement = placement;
        exchange = dispatch.exchange();
        request = dispatch.call().wire();
    }

    @Override
    public void begin() {
        exchange.execute(() -> {
            if (over) {
                return;
            }
            if (request.stream()) {
                exchange.response().drainHandler(nothing -> call.resume());
            }
            try {
                call = backend.forward(request, this);
            } catch (IllegalStateException e) {
                // It was closed since it was picked.
                LOG.debug("A request could not be sent on", e);
                onEvent(new Failed(new Failure(Cause.UNAVAILABLE, "it is closed", OptionalInt.empty(), null)));
            }
        });
    }

    @Override
    public void cancel() {
        over = true;
        call.cancel();
        placement.left();
    }

    @Override
    public void onEvent(WireEvent event) {
        if (over) {
            return;
        }
        switch (event) {
            case Chunk(byte[] json, String name, boolean token) -> {
                if (token) {
                    tokens++;
                    placement.tokens(0, 1);
                }
                dispatch.out().sendEvent(name, json);
                if (exchange.response().writeQueueFull()) {
                    call.pause();
                }
            }
            case Whole(byte[] json) -> whole = json;
            case Ended(Usage usage) -> end(usage);
            case Failed(Failure failure) -> {
                LOG.debugf("A request that was sent on failed: %s", failure.message());
                if (failure.cause() == Cause.REJECTED) {
                    placement.left();
                    dispatch.fail(error(failure));
                } else {
                    over = true;
                    if (failure.cause() == Cause.UNAVAILABLE) {
                        // It was not asked.
                        placement.left();
                    }
                    dispatch.failed(placement, error(failure));
                }
            }
            case Broken(Failure failure) -> {
                LOG.debugf("A request that was sent on broke off: %s", failure.message());
                placement.failed();
                dispatch.fail(error(failure));
            }
        }
    }

    private void end(@Nullable Usage counted) {
        Usage usage = counted == null
                ? new Usage(dispatch.call().route().sequences().getFirst().promptTokens(), 0, tokens)
                : counted;
        placement.done(0, usage);
        if (counted != null) {
            dispatch.sizes().learn(dispatch.call().model(), request.body().length, usage.promptTokens());
        }
        if (request.stream()) {
            boolean namesEvents = dispatch.dialect().namesEvents();
            dispatch.end(placement, usage, namesEvents ? Buffer.buffer() : DONE.copy());
        } else if (whole != null) {
            dispatch.whole(placement, usage, Buffer.buffer(whole));
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
                        failure.retryAfterS().orElse(dispatch.limits().retryAfterS()),
                        "The model's backend has no room at present.");
            case UNREACHABLE ->
                ApiException.overloaded(
                        dispatch.limits().retryAfterS(), "The model's backend can't be reached at present.");
            case TIMEOUT -> ApiException.ofStatus(504, "backend_timeout", "The model's backend takes too long.");
            case REJECTED, MISCONFIGURED, FAULT ->
                ApiException.ofStatus(502, "backend_failed", "The model's backend failed; the log knows more.");
        };
    }
}
