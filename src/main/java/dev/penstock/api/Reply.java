package dev.penstock.api;

import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent;
import dev.penstock.model.GenerationEvent.Failed;
import dev.penstock.model.GenerationEvent.Finished;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The reply of one exchange, plain or as a stream, written on its event loop whenever there are pieces and the
 * connection takes them. Nothing is sent before the first event of a generation is there, so that whatever fails before
 * it gets a status of its own. A stream waits no longer than the keep-alive interval for that: then its status goes out
 * with a comment, lest a proxy take the connection for dead, and what fails later is an event. Later comments come after
 * one to two such intervals of silence.
 */
final class Reply {
    private static final Logger LOG = Logger.getLogger(Reply.class);
    private static final String EVENT_STREAM = "text/event-stream;charset=utf-8";

    /** A plain reply gathers this much before its writer takes it: no need to wake up for each token. */
    private static final long PLAIN_NOTICE_BYTES = 1 << 20;

    private final Exchange exchange;
    private final ApiLimits limits;
    private final boolean stream;
    private final ReplyWriter writer;
    private final Choices choices;
    private final AtomicBoolean woken = new AtomicBoolean();

    // The event loop alone.
    private boolean silent = true;
    private boolean over;
    private long timer = -1;

    Reply(Job job, ReplyFormat format, Exchange exchange, ApiLimits limits) {
        this.exchange = exchange;
        this.limits = limits;
        stream = job.streaming().stream();
        writer = new ReplyWriter(job, format);
        choices = new Choices(stream ? 0 : PLAIN_NOTICE_BYTES, this::wake, exchange::abort);
    }

    /** What it is made of. */
    Choices choices() {
        return choices;
    }

    /** Watches from now on for the connection to take more, and for silence. */
    void begin() {
        exchange.execute(() -> {
            if (over) {
                return;
            }
            exchange.response().exceptionHandler(e -> LOG.debug("A reply could not be written", e));
            if (stream) {
                exchange.response().drainHandler(nothing -> write());
                timer = exchange.everyMs(limits.keepAlive().toMillis(), this::keepAlive);
            }
        });
    }

    /** The exchange is over; on the event loop. */
    void over() {
        over = true;
        choices.cancel();
        exchange.cancelTimer(timer);
    }

    /** There are pieces: has them written, from any thread. */
    private void wake() {
        if (woken.compareAndSet(false, true)) {
            exchange.execute(() -> {
                woken.set(false);
                write();
            });
        }
    }

    private void write() {
        if (over || exchange.response().ended()) {
            return;
        }
        try {
            if (stream) {
                writeEvents();
            } else {
                writeWhole();
            }
        } catch (IOException | RuntimeException e) {
            LOG.error("A reply failed", e);
            choices.cancel();
            exchange.abort();
        }
    }

    private void writeWhole() {
        try {
            for (Choices.Piece piece = choices.poll(); piece != null; piece = choices.poll()) {
                writer.collect(piece, finished(piece));
            }
        } catch (ApiException e) {
            choices.cancel();
            exchange.send(e);
            return;
        }
        if (writer.complete()) {
            HttpServerResponse response = exchange.response();
            response.putHeader(HttpHeaders.CONTENT_TYPE, MediaType.APPLICATION_JSON);
            response.end(Buffer.buffer(WireJson.bytes(writer::whole)));
        }
    }

    private void writeEvents() throws IOException {
        if (exchange.response().writeQueueFull()) {
            return;
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        EventStream events = new EventStream(out);
        boolean last = false;
        try {
            for (Choices.Piece piece = choices.poll(); piece != null; piece = choices.poll()) {
                writer.chunks(events, piece, finished(piece));
            }
            if (writer.complete()) {
                writer.end(events);
                last = true;
            }
        } catch (ApiException e) {
            choices.cancel();
            events.flush();
            if (out.size() == 0 && !exchange.response().headWritten()) {
                exchange.send(e);
                return;
            }
            events.event(json -> WireJson.writeError(json, e));
            last = true;
        }
        events.flush();
        if (out.size() > 0) {
            send(Buffer.buffer(out.toByteArray()), last);
        }
    }

    /** A period is over: says something if nothing was said in it. */
    private void keepAlive() {
        if (silent
                && !over
                && !exchange.response().ended()
                && !exchange.response().writeQueueFull()) {
            send(Buffer.buffer(EventStream.KEEP_ALIVE), false);
        }
        silent = true;
    }

    private void send(Buffer bytes, boolean last) {
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

    /** How a choice ended, if it did with this piece; throws if it failed. */
    private @Nullable Finished finished(Choices.Piece piece) {
        GenerationEvent end = piece.end();
        return switch (end) {
            case null -> null;
            case Failed failed -> throw error(failed);
            case GenerationEvent.Delta delta -> null;
            case Finished finished -> {
                if (finished.reason() == FinishReason.CANCELLED) {
                    throw ApiException.overloaded(limits.retryAfterS(), "The request was cancelled.");
                }
                yield finished;
            }
        };
    }

    private ApiException error(Failed failed) {
        return switch (failed.cause()) {
            case INVALID -> ApiException.badBody(failed.message());
            case OVERLOADED, SHUTTING_DOWN -> ApiException.overloaded(limits.retryAfterS(), failed.message());
            case INTERNAL -> ApiException.internal(failed.message());
        };
    }
}
