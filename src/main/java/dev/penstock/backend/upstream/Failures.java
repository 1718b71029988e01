package dev.penstock.backend.upstream;

import dev.penstock.model.WireEvent.Cause;
import dev.penstock.model.WireEvent.Failure;
import dev.penstock.model.WireEvent.Rejection;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** What an upstream's failure means. */
final class Failures {
    private static final long MAX_RETRY_AFTER_S = Duration.ofHours(1).toSeconds();

    private Failures() {}

    /** Of a cause that needs no more than words. */
    static Failure of(Cause cause, String message) {
        return new Failure(cause, message, OptionalInt.empty(), null);
    }

    /** Of a request that can't be sent on. */
    static Failure unreadable(IOException e) {
        String message = "The body is not one JSON object in UTF-8: " + e.getMessage();
        return new Failure(Cause.REJECTED, message, OptionalInt.empty(), new Rejection(400, message, null, null));
    }

    /** Of an answer whose status is not 200. */
    static Failure ofStatus(HttpClientResponse response, byte[] body) {
        int status = response.statusCode();
        Cause cause = switch (status) {
            case 400, 413, 422 -> Cause.REJECTED;
            case 408, 429, 503, 529 -> Cause.OVERLOADED;
            default -> status < 500 ? Cause.MISCONFIGURED : Cause.FAULT;
        };
        WireScan.@Nullable Error error = error(body);
        String said = error == null || error.message() == null ? "" : ": " + error.message();
        return new Failure(
                cause,
                "status " + status + said,
                retryAfterS(response.getHeader(HttpHeaders.RETRY_AFTER)),
                cause == Cause.REJECTED ? rejection(status, error) : null);
    }

    private static Rejection rejection(int status, WireScan.@Nullable Error error) {
        String message = error == null ? null : error.message();
        return new Rejection(
                status,
                message == null ? "The model's backend does not take this request." : message,
                error == null ? null : error.param(),
                error == null ? null : error.code());
    }

    private static WireScan.@Nullable Error error(byte[] body) {
        try {
            return WireScan.of(body).error();
        } catch (IOException noJson) {
            return null;
        }
    }

    /** By RFC 9110: seconds, or a date. */
    private static OptionalInt retryAfterS(@Nullable String header) {
        if (header == null) {
            return OptionalInt.empty();
        }
        try {
            long seconds = header.matches("[0-9]{1,9}")
                    ? Long.parseLong(header)
                    : Duration.between(
                                    Instant.now(),
                                    ZonedDateTime.parse(header, DateTimeFormatter.RFC_1123_DATE_TIME)
                                            .toInstant())
                            .toSeconds();
            return OptionalInt.of((int) Math.clamp(seconds, 1, MAX_RETRY_AFTER_S));
        } catch (DateTimeParseException garbage) {
            return OptionalInt.empty();
        }
    }
}
