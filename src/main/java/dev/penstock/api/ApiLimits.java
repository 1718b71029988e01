package dev.penstock.api;

import java.time.Duration;

/**
 * Limits of the HTTP side.
 *
 * @param maxBodyBytes larger bodies are refused with 413
 * @param keepAlive a stream with nothing to say for this long says a comment, before its first event too
 * @param retryAfter what a caller is told to wait where nothing better is known
 */
public record ApiLimits(long maxBodyBytes, Duration keepAlive, Duration retryAfter) {
    /** {@link #retryAfter} in whole seconds, at least one. */
    int retryAfterS() {
        return (int) Math.max(1, retryAfter.toSeconds());
    }
}
