package dev.penstock.api;

import dev.penstock.routing.Placement;
import io.vertx.core.http.HttpServerResponse;
import java.util.Locale;

/** What a reply tells of how it was routed. */
final class ReplyHeaders {
    /** Why a request was refused, by llm-d's names. */
    static final String DROPPED = "x-llm-d-request-dropped-reason";

    private static final String BACKEND = "x-penstock-backend";
    private static final String PREDICTED_TTFT = "x-penstock-predicted-ttft-ms";
    private static final String SAVED = "x-penstock-saved-usd";
    private static final String COST = "x-penstock-cost-usd";
    private static final String TRAILER = "Trailer";

    private ReplyHeaders() {}

    /** Adds what is known at the pick, while there are no headers out. */
    static void add(HttpServerResponse response, Placement placement, boolean stream) {
        if (response.headWritten()) {
            return;
        }
        double ttftMs = placement.quote().ttft().mean().toNanos() / 1e6;
        response.putHeader(BACKEND, printable(placement.backend().name()));
        response.putHeader(PREDICTED_TTFT, String.format(Locale.ROOT, "%.1f", ttftMs));
        response.putHeader(SAVED, placement.saved().usd().toPlainString());
        if (stream) {
            response.putHeader(TRAILER, COST);
        }
    }

    /** Takes out what an error has none of. */
    static void removeCosts(HttpServerResponse response) {
        response.headers().remove(SAVED).remove(TRAILER);
    }

    /** Adds what it cost. */
    static void addCost(HttpServerResponse response, Placement placement) {
        response.putHeader(COST, placement.cost().usd().toPlainString());
    }

    /** Adds what it cost behind a stream. */
    static void addTrailer(HttpServerResponse response, Placement placement) {
        response.putTrailer(COST, placement.cost().usd().toPlainString());
    }

    /** Names come from configuration and may be in any script; headers are in ASCII. */
    private static String printable(String name) {
        return name.replaceAll("[^ -~]", "?");
    }
}
