package dev.penstock.routing;

/** Foretells what a request meets on a backend. One may serve several backends of a kind, which then share what it learns. */
public interface LatencyModel {
    /** Buckets of load: what {@link Prediction#ttftBucket} and {@link Prediction#tpotBucket} are below. */
    int buckets();

    /**
     * Writes points, busy time and bucket for a request.
     *
     * @param cached prompt tokens that needn't be computed
     * @param tokens how many it is expected to sample
     */
    void predict(BackendState state, int promptTokens, int cached, double tokens, long nowNs, Prediction out);

    /** Learns a time to the first token. */
    default void sawFirstToken(Reservation reservation, double ttftSeconds) {}

    /** Learns a mean time per token. */
    default void sawEnd(Reservation reservation, double tpotSeconds) {}

    /**
     * Learns the duration of a step of so many prompt tokens at that mean context beside sequences with so many cached tokens.
     *
     * @return what it took over what was foretold
     */
    default double sawStep(int promptTokens, double context, int sequences, long kvTokens, double seconds) {
        return 1;
    }
}
