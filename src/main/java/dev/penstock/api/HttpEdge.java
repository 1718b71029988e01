package dev.penstock.api;

import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import java.util.UUID;

/**
 * What happens to a request on the event loop, before a resource sees it and where none does: it is refused while the
 * server does not answer, its end is watched, and errors of the HTTP layer get the shape of the API's.
 */
@ApplicationScoped
class HttpEdge {
    /** The first filter is the one with the highest. */
    static final int FILTER_PRIORITY = 100;

    private static final long MAX_DRAIN_MS = 5_000;
    private static final int[] STATUSES = {400, 404, 405, 406, 413, 414, 415, 500, 503};

    private final RequestGate gate;
    private final ApiLimits limits;

    HttpEdge(RequestGate gate, ApiLimits limits) {
        this.gate = gate;
        this.limits = limits;
    }

    void filters(@Observes Filters filters) {
        filters.register(this::admit, FILTER_PRIORITY);
    }

    void errors(@Observes Router router) {
        for (int status : STATUSES) {
            router.errorHandler(status, http -> send(http, error(status, http.normalizedPath())));
        }
    }

    private void admit(RoutingContext http) {
        http.response().putHeader("x-request-id", "req_" + UUID.randomUUID());
        if (!http.request().method().equals(HttpMethod.POST) || !isGated(http.normalizedPath())) {
            http.next();
            return;
        }
        RequestGate.State state = gate.enter();
        if (state != RequestGate.State.OPEN) {
            send(http, ApiException.overloaded(limits.retryAfterS(), state.refusal()));
            return;
        }
        Exchange exchange = Exchange.begin(http);
        http.addEndHandler(end -> {
            gate.leave();
            exchange.over();
            if (end.succeeded()) {
                drain(http);
            }
        });
        if (contentLength(http.request()) > limits.maxBodyBytes()) {
            send(http, WireJson.tooLarge(limits.maxBodyBytes()));
            return;
        }
        http.next();
    }

    /**
     * Takes and drops, for a while, what is left of a body when its request has been answered: a caller who sends it all before it
     * reads would never come to the answer.
     */
    private static void drain(RoutingContext http) {
        HttpServerRequest request = http.request();
        if (request.isEnded() || request.version() == HttpVersion.HTTP_2) {
            return;
        }
        HttpConnection connection = request.connection();
        request.handler(piece -> {});
        if ("close".equals(http.response().headers().get("Connection"))) {
            request.endHandler(end -> connection.close());
        }
        // Who has read a body to its end leaves it paused, and until here that doesn't count as ended.
        request.resume();
        if (!request.isEnded()) {
            http.vertx().setTimer(MAX_DRAIN_MS, id -> {
                // Once it has ended, the connection may be at the next request.
                if (!request.isEnded()) {
                    connection.close();
                }
            });
        }
    }

    /** Whether what lies there needs the models. */
    private static boolean isGated(String path) {
        return path.startsWith("/v1/") || path.equals("/tokenize") || path.equals("/detokenize");
    }

    /** The length that a request's head tells; 0 where it tells none. */
    static long contentLength(HttpServerRequest request) {
        String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
        try {
            return length == null ? 0 : Long.parseLong(length);
        } catch (NumberFormatException e) {
            // The HTTP parser refuses such a request; whatever comes here is read with a bound.
            return 0;
        }
    }

    /** The error for a status that the HTTP layer chose. */
    static ApiException error(int status, String path) {
        return switch (status) {
            case 404 -> ApiException.ofStatus(404, "not_found", "There is nothing at " + path + ".");
            case 405 -> ApiException.ofStatus(405, "method_not_allowed", "This method is not allowed at " + path + ".");
            case 406 -> ApiException.ofStatus(406, null, "None of the types that 'Accept' names can be sent.");
            case 413 -> ApiException.ofStatus(413, "request_too_large", "The request's body is too large.");
            case 414 -> ApiException.ofStatus(414, null, "The request's address is too long.");
            case 415 -> ApiException.ofStatus(415, null, "The body must be sent as 'Content-Type: application/json'.");
            case 503 -> ApiException.overloaded(1, "The server can't answer at present.");
            default ->
                status < 500
                        ? ApiException.ofStatus(status, null, "The request can't be understood.")
                        : ApiException.internal("The server failed; its log knows more.");
        };
    }

    /** Sends an error, unless something has gone out already. */
    static void send(RoutingContext http, ApiException error) {
        HttpServerResponse response = http.response();
        if (response.ended() || response.headWritten()) {
            return;
        }
        Dialect dialect = Dialect.ofPath(http.normalizedPath());
        response.setStatusCode(dialect.status(error));
        response.putHeader(HttpHeaders.CONTENT_TYPE, MediaType.APPLICATION_JSON);
        error.retryAfterS().ifPresent(s -> response.putHeader(HttpHeaders.RETRY_AFTER, Integer.toString(s)));
        if (error.status() == 413) {
            // What is left of the body is not looked at.
            response.putHeader("Connection", "close");
        }
        response.end(Buffer.buffer(dialect.body(error)));
    }
}
