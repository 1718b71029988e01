package dev.penstock.routing;

import dev.penstock.model.Money;
import dev.penstock.model.Price;
import dev.penstock.model.Usage;
import java.util.concurrent.atomic.AtomicBoolean;

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
    final Price price;
    final double promptSeconds;
    final double busySeconds;
    final double ttftPoint;
    final double tpotPoint;

    /** What the dearest backend that fitted would have cost, in nano-dollars. */
    double dearest;

    /** Its place in the backend's list. */
    int index;

    /** Prompt tokens not yet computed. */
    int promptLeft;

    int tokens;

    /** Tokens that are still to be expected, at least one. */
    double tokensLeft;

    long firstTokenNs;
    boolean ended;
    private final AtomicBoolean closed = new AtomicBoolean();

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
        price = state.price();
        promptSeconds = p.promptSeconds;
        busySeconds = p.busySeconds;
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
        return Math.max(1, firstTokenNs - sinceNs) * 1e-9;
    }

    /** Whether it is for the caller to end it: true once. */
    boolean close() {
        return closed.compareAndSet(false, true);
    }

    double sinceFirstTokenSeconds(long nowNs) {
        return Math.max(1, nowNs - firstTokenNs) * 1e-9;
    }

    /** The bound of nine in ten on it. */
    public double ttftBound() {
        return ttftPoint * ttftBias * ttftBoundFactor;
    }

    /** What it saves against the dearest backend that fits its budget, by what is predicted. */
    public Money saved() {
        return Money.ofNanoUsd(Math.max(0, dearest - cost));
    }

    /** What it cost with these tokens: by the meter, or its part of the hour's price by the time that they keep the backend at work. */
    public Money cost(Usage usage) {
        return CostModel.actual(this, usage);
    }

    /** The bound of nine in ten on the mean time per token. */
    public double tpotBound() {
        return tpotPoint * tpotBias * tpotBoundFactor;
    }

    /** The predicted mean time per token, in seconds. */
    public double tpotPredicted() {
        return tpotPredicted;
    }
}
