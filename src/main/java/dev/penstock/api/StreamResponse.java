package dev.penstock.api;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import jakarta.ws.rs.core.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The response of a stream: its head goes out with the first bytes, and a comment where it would be silent, lest a proxy take
 * the connection for dead. The first comes after a period without bytes, later ones after one to two. For the event loop.
 */
final class StreamResponse {
    private static final String EVENT_STREAM = "text/event-stream;charset=utf-8";
    private static final byte[] EVENT = "data: ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] EVENT_END = "\n\n".getBytes(StandardCharsets.US_ASCII);

    private final Exchange exchange;
    private @Nullable Buffer pending;
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

    /**
     * Sends an event, in one write with others that come before the event loop turns to something else.
     *
     * @param name the event's, if it has one
     */
    void sendEvent(@Nullable String name, byte[] data) {
        Buffer bytes = pending;
        if (bytes == null) {
            bytes = Buffer.buffer(EVENT.length + data.length + EVENT_END.length);
            pending = bytes;
            exchange.execute(this::sendPending);
        }
        if (name != null) {
            bytes.appendString("event: " + name + "\n");
        }
        bytes.appendBytes(EVENT).appendBytes(data).appendBytes(EVENT_END);
    }

    private void sendPending() {
        if (pending != null && !exchange.response().ended()) {
            send(Buffer.buffer(), false);
        }
    }

    /** Whether anything was sent. */
    boolean hasBegun() {
        return pending != null || exchange.response().headWritten();
    }

    /** Sends bytes, and no more after the last ones. */
    void send(Buffer more, boolean last) {
        HttpServerResponse response = exchange.response();
        Buffer bytes = pending == null ? more : pending.appendBuffer(more);
        pending = null;
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
        pending = null;
        exchange.cancelTimer(timer);
    }
}
