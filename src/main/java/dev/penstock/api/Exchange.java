package dev.penstock.api;

import io.vertx.core.Context;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP exchange on its event loop: where its reply is written, and when it is over, be it answered or left by the
 * client. Writes alone don't tell: a plain reply has none before its end, and those of a stream do not fail.
 */
final class Exchange {
    private static final String KEY = "penstock.exchange";

    private final RoutingContext http;
    private final Context loop;
    private boolean over;
    private @Nullable Runnable then;

    private Exchange(RoutingContext http) {
        this.http = http;
        loop = http.vertx().getOrCreateContext();
    }

    /** Begins an exchange, on its event loop; {@link #of} finds it from now on. */
    static Exchange begin(RoutingContext http) {
        Exchange exchange = new Exchange(http);
        http.put(KEY, exchange);
        return exchange;
    }

    /** The exchange that has begun here. */
    static Exchange of(RoutingContext http) {
        return http.get(KEY);
    }

    /** Runs this on the event loop, from any thread and without waiting; it must not block. */
    void execute(Runnable action) {
        loop.runOnContext(nothing -> action.run());
    }

    /** Runs this on the event loop over and over; the number is for {@link #cancelTimer}. */
    long everyMs(long periodMs, Runnable action) {
        return http.vertx().setPeriodic(periodMs, id -> action.run());
    }

    /** Ends what {@link #everyMs} began. */
    void cancelTimer(long id) {
        http.vertx().cancelTimer(id);
    }

    /** What is sent; for the event loop. */
    HttpServerResponse response() {
        return http.response();
    }

    /** The request's header of that name, if it has it. */
    @Nullable
    String header(String name) {
        return http.request().getHeader(name);
    }

    /** Answers with an error of its own status, where none has gone out yet; for the event loop. */
    void send(ApiException error) {
        HttpEdge.send(http, error);
    }

    /** Breaks the connection off, from any thread. */
    void abort() {
        if (http.request().version() == HttpVersion.HTTP_2) {
            // Other exchanges share the connection.
            http.response().reset();
        } else {
            http.request().connection().close();
        }
    }

    /** Runs this when the exchange is over, at once if it is already; on the event loop, so it must not block. */
    void whenOver(Runnable action) {
        synchronized (this) {
            if (!over) {
                then = action;
                return;
            }
        }
        action.run();
    }

    /** The exchange is over. */
    void over() {
        Runnable action;
        synchronized (this) {
            over = true;
            action = then;
            then = null;
        }
        if (action != null) {
            action.run();
        }
    }
}
