package dev.penstock.api;

import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent;
import dev.penstock.model.GenerationEvent.Failed;
import dev.penstock.model.GenerationEvent.Finished;
import dev.penstock.routing.Router;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.StreamingOutput;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Runs a job and answers it, plain or as a stream. Nothing is sent before the first event of a generation is there, so
 * that whatever fails before it gets a status of its own. A stream waits no longer than the keep-alive interval for that:
 * then its status goes out with a comment, lest a proxy take the connection for dead, and what fails later is an event.
 */
@ApplicationScoped
class Responder {
    private static final String EVENT_STREAM = "text/event-stream;charset=utf-8";

    private final Router router;
    private final ApiLimits limits;

    Responder(Router router, ApiLimits limits) {
        this.router = router;
        this.limits = limits;
    }

    /** The answer; blocks until its first part is there, all of it if it is plain. */
    Response answer(Job job, ReplyFormat format, Exchange exchange) throws InterruptedException {
        Choices choices = Choices.submit(router, job, exchange::abort);
        exchange.whenOver(choices::cancel);
        try {
            return job.streaming().stream() ? stream(job, format, choices) : plain(job, format, choices);
        } catch (ApiException | InterruptedException e) {
            choices.cancel();
            throw e;
        }
    }

    private Response plain(Job job, ReplyFormat format, Choices choices) throws InterruptedException {
        ReplyWriter writer = new ReplyWriter(job, format);
        while (!writer.complete()) {
            Choices.Piece piece = choices.next();
            writer.collect(piece, finished(piece));
        }
        return Response.ok(WireJson.bytes(writer::whole), MediaType.APPLICATION_JSON_TYPE)
                .build();
    }

    private Response stream(Job job, ReplyFormat format, Choices choices) throws InterruptedException {
        Choices.Piece first = choices.next(limits.keepAlive());
        if (first != null) {
            // Fails with a status of its own.
            finished(first);
        }
        StreamingOutput body = out -> {
            try {
                write(new ReplyWriter(job, format), choices, first, out);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw (IOException) new InterruptedIOException("The stream was interrupted.").initCause(e);
            } finally {
                choices.cancel();
            }
        };
        return Response.ok(body)
                .header(HttpHeaders.CONTENT_TYPE, EVENT_STREAM)
                .header(HttpHeaders.CACHE_CONTROL, "no-cache")
                // nginx would collect the events otherwise
                .header("X-Accel-Buffering", "no")
                .build();
    }

    private void write(ReplyWriter writer, Choices choices, Choices.@Nullable Piece first, OutputStream out)
            throws IOException, InterruptedException {
        EventStream events = new EventStream(out);
        Choices.Piece piece = first;
        if (piece == null) {
            events.keepAlive();
            piece = nextOrKeepAlive(events, choices);
        }
        while (true) {
            try {
                writer.chunks(events, piece, finished(piece));
            } catch (ApiException e) {
                events.event(json -> WireJson.writeError(json, e));
                events.flush();
                return;
            }
            if (writer.complete()) {
                writer.end(events);
                events.flush();
                return;
            }
            piece = nextOrKeepAlive(events, choices);
        }
    }

    /** The next piece. What is written goes out first, unless there is more to write at once. */
    private Choices.Piece nextOrKeepAlive(EventStream events, Choices choices)
            throws IOException, InterruptedException {
        Choices.Piece piece = choices.poll();
        while (piece == null) {
            events.flush();
            piece = choices.next(limits.keepAlive());
            if (piece == null) {
                events.keepAlive();
            }
        }
        return piece;
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
