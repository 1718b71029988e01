package dev.penstock.api;

import dev.penstock.model.WireRequest.Endpoint;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.impl.RoutingContextInternal;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.ws.rs.core.MediaType;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Sends requests on without leaving the event loop, where that is short work: small bodies of a known length. A virtual thread
 * costs several times as much as all the rest of a request that is only passed on. Everything else goes to the resources,
 * which do the same.
 */
@ApplicationScoped
class ForwardingEdge {
    private static final int MAX_BYTES = 64 << 10;
    private static final Duration READ_LIMIT = Duration.ofSeconds(60);
    private static final Map<String, Endpoint> ENDPOINTS = Arrays.stream(Endpoint.values())
            .filter(Endpoint::generates)
            .collect(Collectors.toUnmodifiableMap(e -> "/v1" + e.path(), e -> e));

    private final Calls calls;
    private final Responder responder;

    ForwardingEdge(Calls calls, Responder responder) {
        this.calls = calls;
        this.responder = responder;
    }

    void filters(@Observes Filters filters) {
        filters.register(this::take, HttpEdge.FILTER_PRIORITY - 1);
    }

    private void take(RoutingContext http) {
        Endpoint endpoint = ENDPOINTS.get(http.normalizedPath());
        if (endpoint == null || !isShortWork(http.request()) || !calls.haveRemoteModels()) {
            http.next();
            return;
        }
        Exchange exchange = Exchange.of(http);
        long limit = http.vertx().setTimer(READ_LIMIT.toMillis(), id -> exchange.abort());
        exchange.whenOver(() -> http.vertx().cancelTimer(limit));
        http.request()
                .bodyHandler(body -> {
                    http.vertx().cancelTimer(limit);
                    forward(http, endpoint, body, exchange);
                })
                .resume();
    }

    private static boolean isShortWork(HttpServerRequest request) {
        String type = request.getHeader(HttpHeaders.CONTENT_TYPE);
        return request.method().equals(HttpMethod.POST)
                && type != null
                && type.split(";", 2)[0].strip().equalsIgnoreCase(MediaType.APPLICATION_JSON)
                && request.getHeader(HttpHeaders.EXPECT) == null
                && HttpEdge.contentLength(request) > 0
                && HttpEdge.contentLength(request) <= MAX_BYTES;
    }

    private void forward(RoutingContext http, Endpoint endpoint, Buffer body, Exchange exchange) {
        try {
            byte[] bytes = body.getBytes();
            JsonObject object = WireJson.readObject(bytes);
            if (calls.isElsewhere(object)) {
                responder.answer(
                        calls.read(endpoint, object, bytes, http.request().headers()), exchange);
            } else {
                // The resource reads it from there.
                ((RoutingContextInternal) http).setBody(body);
                http.next();
            }
        } catch (ApiException e) {
            exchange.send(e);
        }
    }
}
