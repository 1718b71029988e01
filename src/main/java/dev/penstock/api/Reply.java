package dev.penstock.api;

import dev.penstock.backend.TokenBackend;
import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent;
import dev.penstock.model.GenerationEvent.Failed;
import dev.penstock.model.GenerationEvent.Finished;
import dev.penstock.routing.Placement;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The reply that a replica makes, plain or as a stream, written on the exchange's event loop whenever there are pieces and the
 * connection takes them. Nothing is sent before the first event of a generation is there, so that whatever fails before
 * it gets a status of its own, or another backend. A stream waits no longer than the keep-alive interval for that: then its
 * status goes out with a comment, lest a proxy take the connection for dead, and what fails later is an event.
 */
final class Reply implements Attempt {
    private static final Logger LOG = Logger.getLogger(Reply.class);

    /** A plain reply gathers this much before its writer takes it: no need to wake up for each token. */
    static final long PLAIN_NOTICE_BYTES = 1 << 20;

    private final Dispatch dispatch;
    private final Job job;
    private final TokenBackend backend;
    private final Placement placement;
    private final Exchange exchange;
    private final boolean stream;
    private final ReplyWriter writer;
    private final Choices choices;
    private final Generations generations;
    private final AtomicBoolean woken = new AtomicBoolean();

    // The event loop alone.
    private boolean over;

    Reply(Dispatch dispatch, Job job, ReplyWriter writer, TokenBackend backend, Placement placement) {
        this.dispatch = dispatch;
        this.job = job;
        this.backend = backend;
        this.placement = placement;
        exchange = dispatch.exchange();
        stream = job.streaming().stream();
        this.writer = writer;
        choices = new Choices(
                job.sequences().size(),
                stream ? 0 : PLAIN_NOTICE_BYTES,
                job.model().dialogue().reasoning() != null,
                this::wake,
                this::fallenBehind);
        generations = new Generations(
                placement, choices, failed -> dispatch.failed(placement, error(failed, dispatch.limits())));
    }

    @Override
    public void begin() {
        if (stream) {
            exchange.execute(() -> {
                if (!over) {
                    exchange.response().drainHandler(nothing -> write());
                }
            });
        }
        generations.submit(backend, job.sequences());
    }

    @Override
    public void cancel() {
        over = true;
        generations.cancel();
        // Those that were not submitted yet tell nothing.
        placement.left();
    }

    private void fallenBehind() {
        generations.cancel();
        exchange.abort();
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
            generations.cancel();
            exchange.abort();
        }
    }

    private void writeWhole() {
        try {
            for (Choices.Piece piece = choices.poll(); piece != null; piece = choices.poll()) {
                writer.collect(piece, finished(piece, dispatch.limits()));
            }
        } catch (ApiException e) {
            generations.cancel();
            dispatch.fail(e);
            return;
        }
        if (writer.complete()) {
            dispatch.whole(placement, writer.usage(), Buffer.buffer(WireJson.bytes(writer::whole)));
        }
    }

    private void writeEvents() throws IOException {
        if (exchange.response().writeQueueFull()) {
            return;
        }
        EventStream events = new EventStream();
        boolean last = false;
        try {
            for (Choices.Piece piece = choices.poll(); piece != null; piece = choices.poll()) {
                if (piece.end() instanceof Failed && !piece.text().isEmpty()) {
                    // What was made before is the caller's.
                    writer.events(events, piece, null);
                }
                writer.events(events, piece, finished(piece, dispatch.limits()));
            }
            if (writer.complete()) {
                writer.end(events);
                last = true;
            }
        } catch (ApiException e) {
            generations.cancel();
            if (!events.isEmpty() || dispatch.out().hasBegun()) {
                writer.failure(events, e);
                dispatch.fail(e, events.finish());
            } else {
                dispatch.fail(e);
            }
            return;
        }
        Buffer bytes = events.finish();
        if (last) {
            dispatch.end(placement, writer.usage(), bytes);
        } else if (bytes.length() > 0) {
            dispatch.out().send(bytes, false);
        }
    }

    /** How a choice ended, if it did with this piece; throws if it failed. */
    static @Nullable Finished finished(Choices.Piece piece, ApiLimits limits) {
        GenerationEvent end = piece.end();
        return switch (end) {
            case null -> null;
            case Failed failed -> throw error(failed, limits);
            case GenerationEvent.PromptScored scored -> null;
            case GenerationEvent.Delta delta -> null;
            case Finished finished -> {
                if (finished.reason() == FinishReason.CANCELLED) {
                    throw ApiException.overloaded(limits.retryAfterS(), "The request was cancelled.");
                }
                yield finished;
            }
        };
    }

    /** What a caller is told of a generation that failed. */
    static ApiException error(Failed failed, ApiLimits limits) {
        return switch (failed.cause()) {
            case INVALID -> ApiException.badBody(failed.message());
            case OVERLOADED, SHUTTING_DOWN -> ApiException.overloaded(limits.retryAfterS(), failed.message());
            case INTERNAL -> ApiException.internal(failed.message());
        };
    }
}
