package dev.penstock.api;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import jakarta.ws.rs.core.HttpHeaders;
import java.time.Duration;

/**
 * The response of a stream: its head goes out with the first bytes, and a comment where it would be silent, lest a proxy take
 * the connection for dead. The first comes after a period without bytes, later ones after one to two. For the event loop.
 */
final class StreamResponse {
    private static final String EVENT_STREAM = "text/event-stream;charset=utf-8";

    private final Exchange exchange;
    private boolean silent = true;
    private long timer = -1;

    StreamResponse(Exchange exchange) {
        this.exchange = exchange;
    }

    /** Watches for silence until {@link #over}. */
    void watch(Duration period) {
        timer = exchange.everyMs(period.toMillis(), this::periodOver);
    }

    private void periodOver() {
        HttpServerResponse response = exchange.response();
        if (silent && !response.ended() && !response.writeQueueFull()) {
            send(Buffer.buffer(EventStream.KEEP_ALIVE), false);
        }
        silent = true;
    }

    /** Sends bytes, and no more after the last ones. */
    void send(Buffer bytes, boolean last) {
        HttpServerResponse response = exchange.response();
        if (!response.headWritten()) {
            response.setChunked(true);
            response.putHeader(HttpHeaders.CONTENT_TYPE, EVENT_STREAM);
            response.putHeader(HttpHeaders.CACHE_CONTROL, "no-cache");
            // nginx would collect the events otherwise
            response.putHeader("X-Accel-Buffering", "no");
        }
        if (last) {
            response.end(bytes);
        } else {
            response.write(bytes);
        }
        silent = false;
    }

    /** The exchange is over. */
    void over() {
        exchange.cancelTimer(timer);
    }
}
