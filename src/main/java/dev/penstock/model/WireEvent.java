package dev.penstock.model;

import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * What comes of a request that was sent on, in order: any number of {@link Chunk} or one {@link Whole}, then {@link Ended};
 * or {@link Failed} alone, or {@link Broken} after a chunk.
 */
public sealed interface WireEvent {
    /**
     * A chunk of a stream; the first one carries a token, or comes together with one that does.
     *
     * @param json one object in UTF-8 without a line break
     * @param name the event's, if it has one
     * @param token whether it brings output
     */
    record Chunk(byte[] json, @Nullable String name, boolean token) implements WireEvent {}

    /**
     * The whole of a reply that is no stream.
     *
     * @param json one object in UTF-8
     */
    record Whole(byte[] json) implements WireEvent {}

    /**
     * The reply was given.
     *
     * @param usage the tokens that it took, if the server told
     */
    record Ended(@Nullable Usage usage) implements WireEvent {}

    /** It failed before anything was given: another backend may be asked. */
    record Failed(Failure failure) implements WireEvent {}

    /** It broke off after something had been given: nobody else can go on from there. */
    record Broken(Failure failure) implements WireEvent {}

    /**
     * What went wrong.
     *
     * @param cause of which kind
     * @param message for the log
     * @param retryAfterS when the server wants to be asked again, if it said so
     * @param rejection what is wrong with the request, with {@link Cause#REJECTED} only
     */
    record Failure(
            Cause cause,
            String message,
            OptionalInt retryAfterS,
            @Nullable Rejection rejection) {}

    /**
     * A server's word on a request that its caller must change.
     *
     * @param status 400, 413 or 422
     * @param message for the caller
     * @param param the field at fault
     * @param code a word for programs
     */
    record Rejection(
            int status,
            String message,
            @Nullable String param,
            @Nullable String code) {}

    /** The kinds of failure. */
    enum Cause {
        /** The request can't be served whatever the load: its caller must change it. */
        REJECTED,
        /** No room there at present, or the limit of our key. */
        OVERLOADED,
        /** It is not asked at present, since it failed of late. */
        UNAVAILABLE,
        /** No connection, or it was cut. */
        UNREACHABLE,
        /** It took too long to begin or to go on. */
        TIMEOUT,
        /** It refuses our key, or knows no such model or path: whoever runs this gateway must act. */
        MISCONFIGURED,
        /** It failed, or what it sent makes no sense. */
        FAULT
    }
}
