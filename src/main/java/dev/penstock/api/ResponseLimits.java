package dev.penstock.api;

import java.time.Duration;

/**
 * How responses are kept.
 *
 * @param keep how long after one was last used
 * @param maxCount how many at most
 * @param maxBytes what they may take together
 */
public record ResponseLimits(Duration keep, int maxCount, long maxBytes) {}
