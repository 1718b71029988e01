package dev.penstock.api;

import dev.penstock.backend.TokenBackend;
import dev.penstock.backend.WireBackend;
import dev.penstock.model.Usage;
import dev.penstock.routing.Asker;
import dev.penstock.routing.Asking;
import dev.penstock.routing.Decision.Reason;
import dev.penstock.routing.Decision.Shed;
import dev.penstock.routing.Placement;
import dev.penstock.routing.Router;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * One request on its way to its reply: asks the router where it runs, and asks again where a backend fails before it has given
 * anything. Once a token is there, no other backend can go on from it.
 */
final class Dispatch implements Asker {
    private static final Logger LOG = Logger.getLogger(Dispatch.class);

    private final Call call;
    private final Exchange exchange;
    private final ApiLimits limits;
    private final PromptSizes sizes;
    private final Router router;
    private final CallObserver.Watch watch;
    private final Asking asking;
    private final StreamResponse out;

    // Guarded by this.
    private @Nullable Attempt attempt;
    private @Nullable ApiException failure;
    private boolean over;

    Dispatch(
            Call call,
            Exchange exchange,
            ApiLimits limits,
            PromptSizes sizes,
            Router router,
            CallObserver.Watch watch) {
        this.call = call;
        this.exchange = exchange;
        this.limits = limits;
        this.sizes = sizes;
        this.router = router;
        this.watch = watch;
        asking = router.asking(call.model(), call.route(), this);
        out = new StreamResponse(exchange);
    }

    /** Sends the request on its way, from any thread. */
    void begin() {
        exchange.whenOver(this::over);
        exchange.execute(() -> {
            if (!isOver()) {
                exchange.response().exceptionHandler(e -> LOG.debug("A reply could not be written", e));
                if (call.wire().stream()) {
                    out.watch(limits.keepAlive());
                }
            }
        });
        asking.begin();
    }

    @Override
    public void run(Placement placement) {
        Attempt next = attempt(placement);
        if (next == null) {
            placement.left();
            failed(placement, ApiException.overloaded(limits.retryAfterS(), "The model has just changed; try again."));
            return;
        }
        synchronized (this) {
            if (over) {
                placement.left();
                return;
            }
            attempt = next;
        }
        watch.placed(placement);
        exchange.execute(() -> ReplyHeaders.add(exchange.response(), placement, call.wire().stream()));
        try {
            next.begin();
        } catch (RuntimeException e) {
            LOG.error("A request could not be submitted", e);
            failed(placement, ApiException.internal("The model's backend failed; the log knows more."));
        }
    }

    /** Null where the request was read for servers elsewhere, and the model is here since. */
    private @Nullable Attempt attempt(Placement placement) {
        return switch (placement.backend()) {
            case TokenBackend backend -> {
                Job job = call.job();
                yield job == null ? null : new Reply(this, job, job.newWriter(), backend, placement);
            }
            case WireBackend backend -> new ForwardedReply(this, backend, placement);
        };
    }

    @Override
    public void refuse(Shed shed) {
        ApiException last;
        synchronized (this) {
            last = failure;
        }
        ApiException error = last == null ? ShedError.of(shed, call, router, limits) : last;
        exchange.execute(() -> {
            if (last == null && !exchange.response().headWritten()) {
                exchange.response().putHeader(ReplyHeaders.DROPPED, dropped(shed.reason()));
            }
            fail(error);
        });
    }

    private static String dropped(Reason reason) {
        return reason == Reason.NO_BACKEND ? "rejected-no-endpoints" : "rejected-saturated";
    }

    /** A backend has failed before it gave anything: another one is asked, and its error stands if there is none. */
    void failed(Placement placement, ApiException error) {
        placement.failed();
        synchronized (this) {
            failure = error;
            attempt = null;
        }
        LOG.debugf("%s failed a request: %s", placement.backend().name(), error.getMessage());
        watch.movedOn(placement, error);
        asking.again(placement);
    }

    /** Answers with an error: by a status while there is none, then by an event. On the event loop. */
    void fail(ApiException error) {
        if (out.hasBegun()) {
            fail(error, dialect().errorEvent(error));
        } else if (!isOver() && !exchange.response().ended()) {
            watch.failed(error);
            ReplyHeaders.removeCosts(exchange.response());
            exchange.send(error);
        }
    }

    /** Ends a stream with the events of an error. On the event loop. */
    void fail(ApiException error, Buffer events) {
        if (!isOver() && !exchange.response().ended()) {
            watch.failed(error);
            out.send(events, true);
        }
    }

    Dialect dialect() {
        return Dialect.of(call.wire().endpoint());
    }

    /** The last bytes of a stream. */
    void end(Placement placement, Usage usage, Buffer bytes) {
        watch.answered(placement, usage);
        ReplyHeaders.addTrailer(exchange.response(), placement);
        out.send(bytes, true);
    }

    /** The whole of a reply that is no stream. */
    void whole(Placement placement, Usage usage, Buffer json) {
        watch.answered(placement, usage);
        HttpServerResponse response = exchange.response();
        ReplyHeaders.addCost(response, placement);
        response.putHeader("Content-Type", "application/json");
        response.end(json);
    }

    Call call() {
        return call;
    }

    Exchange exchange() {
        return exchange;
    }

    StreamResponse out() {
        return out;
    }

    ApiLimits limits() {
        return limits;
    }

    PromptSizes sizes() {
        return sizes;
    }

    private void over() {
        Attempt last;
        synchronized (this) {
            over = true;
            last = attempt;
        }
        asking.cancel();
        if (last != null) {
            last.cancel();
        }
        out.over();
        watch.over();
    }

    private synchronized boolean isOver() {
        return over;
    }
}
