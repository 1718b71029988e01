package dev.penstock.backend.upstream;

import java.time.Duration;

/**
 * How long an upstream may take, and how much it may send.
 *
 * @param connect for a connection
 * @param firstToken from a request to the first token of a stream
 * @param idle between chunks of a stream
 * @param total for a reply, streamed or not
 * @param maxConnections requests at once, each with a connection of its own over HTTP/1.1; those beyond fail
 * @param maxEventBytes one event of a stream
 * @param maxReplyBytes a reply that is no stream
 */
public record UpstreamLimits(
        Duration connect,
        Duration firstToken,
        Duration idle,
        Duration total,
        int maxConnections,
        int maxEventBytes,
        int maxReplyBytes) {
    /** What configuration starts from. */
    public static final UpstreamLimits DEFAULTS = new UpstreamLimits(
            Duration.ofSeconds(2),
            Duration.ofSeconds(60),
            Duration.ofSeconds(30),
            Duration.ofMinutes(10),
            1024,
            1 << 20,
            32 << 20);
}
