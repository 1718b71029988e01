package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.penstock.model.GenerationEvent.Finished;
import dev.penstock.model.Usage;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Writes the reply of one job as an endpoint's clients expect it, whole or as events. For one thread. */
interface ReplyWriter {
    /** Whether every candidate has ended. */
    boolean complete();

    /** The tokens of the candidates that have ended. */
    Usage usage();

    /** Keeps a piece for the whole reply. */
    void collect(Choices.Piece piece, @Nullable Finished end);

    /** Writes the whole reply once it is complete. */
    void whole(JsonGenerator json) throws IOException;

    /** Writes the events of a piece: none, one or several. */
    void events(EventStream out, Choices.Piece piece, @Nullable Finished end) throws IOException;

    /** Writes the event of an error after which nothing more comes, into a stream that has begun. */
    void failure(EventStream out, ApiException error) throws IOException;

    /** Writes what follows the last piece. */
    void end(EventStream out) throws IOException;
}
