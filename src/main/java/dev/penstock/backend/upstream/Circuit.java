package dev.penstock.backend.upstream;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Keeps requests from an upstream that fails: after three failures in a row it opens for a second; then one request is let
 * through, whose end closes it, or opens it for twice as long as before, up to a minute. Safe for many threads.
 */
final class Circuit {
    private static final int FAILURES = 3;
    private static final long FIRST_PAUSE_NS = Duration.ofSeconds(1).toNanos();
    private static final long LONGEST_PAUSE_NS = Duration.ofMinutes(1).toNanos();

    /** What it lets through. */
    enum State {
        /** All. */
        CLOSED,
        /** Nothing. */
        OPEN,
        /** One request, to see. */
        HALF_OPEN
    }

    private final LongSupplier nanoTime;
    private State state = State.CLOSED;
    private int failures;
    private long pauseNs = FIRST_PAUSE_NS;
    private long openUntilNs;
    private boolean trial;
    private boolean asked;
    private long askedUntilNs;

    /** Closed; the clock is {@link System#nanoTime} but in tests. */
    Circuit(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** Whether {@link #enter} would let a request through. */
    synchronized boolean available() {
        long now = nanoTime.getAsLong();
        if (asked && askedUntilNs - now > 0) {
            return false;
        }
        return switch (state) {
            case CLOSED -> true;
            case OPEN -> openUntilNs - now <= 0;
            case HALF_OPEN -> !trial;
        };
    }

    /** Lets a request through, whose end must be told by one of the four methods below; or not. */
    synchronized boolean enter() {
        if (!available()) {
            return false;
        }
        if (state != State.CLOSED) {
            state = State.HALF_OPEN;
            trial = true;
        }
        return true;
    }

    /** A request was answered. */
    synchronized void succeeded() {
        if (state != State.OPEN) {
            state = State.CLOSED;
            failures = 0;
            pauseNs = FIRST_PAUSE_NS;
            trial = false;
        }
    }

    /** A request failed by the upstream's fault; true if that opened the circuit. */
    synchronized boolean failed() {
        return switch (state) {
            case CLOSED -> ++failures >= FAILURES && open();
            case HALF_OPEN -> {
                pauseNs = Math.min(2 * pauseNs, LONGEST_PAUSE_NS);
                yield open();
            }
            // An older request; what it says is known.
            case OPEN -> false;
        };
    }

    /** The upstream asks for no requests for so long. */
    synchronized void refused(Duration pause) {
        succeeded();
        asked = true;
        askedUntilNs = nanoTime.getAsLong() + Math.min(pause.toNanos(), LONGEST_PAUSE_NS);
    }

    /** A request ended by its caller's will, which says nothing. */
    synchronized void left() {
        trial = false;
    }

    /** The upstream gave a sign of life: the next request may try. */
    synchronized void alive() {
        if (state == State.OPEN) {
            state = State.HALF_OPEN;
            trial = false;
        }
    }

    /** What it lets through at present. */
    synchronized State state() {
        return state;
    }

    private boolean open() {
        state = State.OPEN;
        trial = false;
        openUntilNs = nanoTime.getAsLong() + pauseNs;
        return true;
    }
}
