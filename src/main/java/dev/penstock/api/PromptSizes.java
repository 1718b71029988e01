package dev.penstock.api;

import jakarta.enterprise.context.ApplicationScoped;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** How many tokens requests of so many bytes have, for models whose tokenizer is not here; learned from what servers count. */
@ApplicationScoped
class PromptSizes {
    /** Of English text in JSON, about. */
    private static final double FIRST_BYTES_PER_TOKEN = 5;

    private static final double RATE = 0.1;

    private final Map<String, Double> bytesPerToken = new ConcurrentHashMap<>();

    /** Tokens of a request's prompt, at least one. */
    int estimate(String model, int bytes) {
        return (int) Math.max(1, bytes / bytesPerToken.getOrDefault(model, FIRST_BYTES_PER_TOKEN));
    }

    /** Learns that a request had so many. */
    void learn(String model, int bytes, int tokens) {
        if (tokens > 0) {
            double ratio = (double) bytes / tokens;
            bytesPerToken.merge(model, ratio, (old, now) -> old + RATE * (now - old));
        }
    }
}
