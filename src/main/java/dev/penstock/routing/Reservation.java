package dev.penstock.routing;

/** A request's place on a backend, from the pick to its end; what was predicted for it is kept with what came. */
public final class Reservation {
    final BackendState state;
    final Demand demand;
    final long sinceNs;
    final double tpotLimit;
    final double endToEndLimit;
    final double expectedTokens;
    final int ttftBucket;
    final int tpotBucket;
    final double ttftPredicted;
    final double ttftBoundFactor;
    final double ttftBias;
    final double tpotPredicted;
    final double tpotBoundFactor;
    final double tpotBias;
    final double cost;
    final double ttftPoint;
    final double tpotPoint;

    /** Its place in the backend's list. */
    int index;

    /** Prompt tokens not yet computed. */
    int promptLeft;

    int tokens;

    /** Tokens that are still to be expected, at least one. */
    double tokensLeft;

    long firstTokenNs;
    boolean ended;

    Reservation(BackendState state, Demand demand, Prediction p, long nowNs) {
        this.state = state;
        this.demand = demand;
        sinceNs = nowNs;
        tpotLimit = Candidates.seconds(demand.budget().tpot());
        endToEndLimit = Candidates.seconds(demand.budget().endToEnd());
        expectedTokens = p.expectedTokens;
        tokensLeft = Math.max(1, expectedTokens);
        ttftBucket = p.ttftBucket;
        tpotBucket = p.tpotBucket;
        promptLeft = demand.promptTokens() - p.cached;
        ttftPredicted = p.ttft;
        ttftBias = state.ttftBias.factor();
        ttftBoundFactor = p.ttftBound / Math.max(1e-12, p.ttftPoint * ttftBias);
        tpotPredicted = p.tpot;
        tpotBias = state.tpotBias.factor();
        tpotBoundFactor = p.tpotBound / Math.max(1e-12, p.tpotPoint * tpotBias);
        ttftPoint = p.ttftPoint;
        tpotPoint = p.tpotPoint;
        cost = p.cost;
    }

    /** The name of its backend. */
    public String backend() {
        return state.name();
    }

    /** The backend's place among those of its router. */
    public int place() {
        return state.place;
    }

    /** Prompt tokens of the request. */
    public int promptTokens() {
        return demand.promptTokens();
    }

    /** Tokens that have come. */
    public int tokens() {
        return tokens;
    }

    /** The predicted time to the first token from the pick, in seconds. */
    public double ttftPredicted() {
        return ttftPredicted;
    }

    /** The time from the pick to the first token, in seconds; to be asked once that has come. */
    public double ttftSeconds() {
        return (firstTokenNs - sinceNs) * 1e-9;
    }

    /** The predicted mean time per token, in seconds. */
    public double tpotPredicted() {
        return tpotPredicted;
    }
}
