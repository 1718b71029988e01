package dev.penstock.routing;

import dev.penstock.model.Budget;
import dev.penstock.model.Money;
import dev.penstock.model.Price;
import dev.penstock.routing.Quote.Fit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The backends of a router, and what each would mean for the request that is being decided on. What was reckoned is written
 * over at the next request, so that a decision allocates nothing per backend; logarithms are taken, and requests in
 * flight looked at, only of backends that may yet be picked. Changed and read by its {@link RouterCore} alone, under its lock.
 */
final class Candidates {
    /** How much a shadow price counts: most of what is taken is free again before someone misses it. */
    private static final double SHADOW_WEIGHT = 0.3;

    /** Picks that may turn out to harm others before all are looked at in one go. */
    private static final int ONE_BY_ONE = 8;

    private final RouterOptions options;
    private final LengthModel lengths;
    private final List<BackendState> states = new ArrayList<>();
    private final List<Prediction> predictions = new ArrayList<>();

    private Budget.Sort sort = Budget.Sort.PRICE;
    private long nowNs;
    private double meanTokens;
    private double upperTokens;
    private double ttftLeft;
    private double tpotLimit;
    private double endToEndLeft;
    private double dearest;

    Candidates(RouterOptions options, LengthModel lengths) {
        this.options = options;
        this.lengths = lengths;
    }

    int add(BackendSpec spec, Price price, Calibration calibration, long nowNs) {
        states.add(new BackendState(spec, price, calibration, states.size(), nowNs));
        predictions.add(new Prediction());
        return states.size() - 1;
    }

    int size() {
        return states.size();
    }

    BackendState state(int place) {
        return states.get(place);
    }

    Prediction prediction(int place) {
        return predictions.get(place);
    }

    /** Reckons for each backend what the request would meet there, and whether that fits. */
    void assess(Demand demand, long nowNs) {
        begin(demand, nowNs);
        dearest = 0;
        for (int i = 0; i < states.size(); i++) {
            BackendState s = states.get(i);
            Prediction p = predictions.get(i);
            predict(s, p, demand);
            p.fit = fit(s, p, demand);
            if (p.fit == Fit.FEASIBLE) {
                dearest = Math.max(dearest, p.cost);
            }
        }
        for (int i = 0; i < states.size(); i++) {
            Prediction p = predictions.get(i);
            p.scored = sort != Budget.Sort.PRICE;
            p.score = switch (sort) {
                case PRICE -> p.cost + SHADOW_WEIGHT * states.get(i).shadowPerSecond() * p.busySeconds;
                case LATENCY -> p.ttft;
                case THROUGHPUT -> p.tpot;
            };
        }
    }

    /** Reckons it for one backend, whether or not it fits. */
    void assessOnly(int place, Demand demand, long nowNs) {
        begin(demand, nowNs);
        predict(states.get(place), predictions.get(place), demand);
    }

    private void begin(Demand demand, long nowNs) {
        Budget budget = demand.budget();
        double elapsed = (nowNs - demand.arrivedNs()) * 1e-9;
        this.nowNs = nowNs;
        sort = budget.sort();
        ttftLeft = seconds(budget.ttft()) - elapsed;
        tpotLimit = seconds(budget.tpot());
        endToEndLeft = seconds(budget.endToEnd()) - elapsed;
        meanTokens = lengths.mean(demand.caller(), demand.maxTokens());
        upperTokens = Math.max(meanTokens, lengths.upper(demand.caller(), demand.maxTokens()));
    }

    private void predict(BackendState s, Prediction p, Demand demand) {
        Calibration c = s.calibration;
        p.cached = demand.cachedOn(s.name());
        p.expectedTokens = meanTokens;
        c.model().predict(s, demand.promptTokens(), p.cached, meanTokens, nowNs, p);
        double ttftBase = p.ttftPoint * s.ttftBias.factor();
        double tpotBase = p.tpotPoint * s.tpotBias.factor();
        p.ttft = ttftBase * c.ttft().expected(p.ttftBucket);
        p.ttftBound = ttftBase * c.ttft().bound(p.ttftBucket);
        p.tpot = tpotBase * c.tpot().expected(p.tpotBucket);
        p.tpotBound = tpotBase * c.tpot().bound(p.tpotBucket);
        p.endToEnd = p.ttft + (meanTokens - 1) * p.tpot;
        p.endToEndBound = p.ttftBound + (upperTokens - 1) * p.tpotBound;
        p.cost = CostModel.marginal(s, demand, p);
    }

    private Fit fit(BackendState s, Prediction p, Demand demand) {
        if (!s.isUp()) {
            return Fit.DOWN;
        }
        if (demand.promptTokens() + p.expectedTokens > s.spec().kvTokens()) {
            return Fit.TOO_LONG;
        }
        Price.PerToken limit = demand.budget().maxPrice();
        if (limit != null && p.cost > CostModel.ceiling(limit, demand, p)) {
            return Fit.TOO_DEAR;
        }
        if (p.ttftBound > ttftLeft) {
            return Fit.TTFT;
        }
        if (p.tpotBound > tpotLimit) {
            return Fit.TPOT;
        }
        return p.endToEndBound > endToEndLeft ? Fit.END_TO_END : Fit.FEASIBLE;
    }

    /** The share of such requests that would miss their budget there. */
    double missShare(int place) {
        return missShare(predictions.get(place));
    }

    private double missShare(Prediction p) {
        return 1
                - (1 - CostModel.missShare(ttftLeft, p.ttft, p.ttftBound))
                        * (1 - CostModel.missShare(tpotLimit, p.tpot, p.tpotBound))
                        * (1 - CostModel.missShare(endToEndLeft, p.endToEnd, p.endToEndBound));
    }

    /** Whether it fits, as one of those kept for spilling or as one of the others. */
    boolean fits(int place, boolean spill) {
        return predictions.get(place).fit == Fit.FEASIBLE
                && states.get(place).spec().spill() == spill;
    }

    /** Whether something that runs there would miss its budget for this request. */
    boolean harms(int place) {
        return Externality.harms(states.get(place), predictions.get(place), nowNs);
    }

    /** The best that fits and harms no one, or -1. */
    int choose(boolean spill) {
        for (int tries = 1; ; tries++) {
            if (tries == ONE_BY_ONE) {
                dropHarmful(spill);
            }
            int best = best(spill);
            if (best < 0) {
                return -1;
            }
            int pick = sort == Budget.Sort.PRICE ? amongEquals(best, spill) : best;
            if (!harms(pick)) {
                return pick;
            }
            predictions.get(pick).fit = Fit.HARMS_OTHERS;
        }
    }

    private void dropHarmful(boolean spill) {
        for (int i = 0; i < states.size(); i++) {
            if (fits(i, spill) && harms(i)) {
                predictions.get(i).fit = Fit.HARMS_OTHERS;
            }
        }
    }

    /** The one with the least score of those that fit, or -1. */
    int best(boolean spill) {
        int best = -1;
        double least = Double.POSITIVE_INFINITY;
        for (int i = 0; i < states.size(); i++) {
            Prediction p = predictions.get(i);
            if (p.score < least && fits(i, spill) && score(p) < least) {
                best = i;
                least = p.score;
            }
        }
        return best;
    }

    /** Among those about as good as the best, the one that holds most of the prompt, then the fullest. */
    private int amongEquals(int best, boolean spill) {
        double limit = predictions.get(best).score * (1 + options.tieShare());
        int pick = best;
        for (int i = 0; i < states.size(); i++) {
            Prediction p = predictions.get(i);
            if (p.score <= limit && fits(i, spill) && score(p) <= limit) {
                int warmer = p.cached - predictions.get(pick).cached;
                if (warmer > 0 || (warmer == 0 && fullness(i) > fullness(pick))) {
                    pick = i;
                }
            }
        }
        return pick;
    }

    /** The penalty for misses is added when someone asks: until then a score is what it can't be below. */
    private double score(Prediction p) {
        if (!p.scored) {
            p.score += options.missPenalty() * dearest * missShare(p);
            p.scored = true;
        }
        return p.score;
    }

    private double fullness(int place) {
        BackendState s = states.get(place);
        return s.inFlight() / (double) s.spec().maxSequences();
    }

    /** What a backend answers. */
    Quote quote(int place) {
        Prediction p = predictions.get(place);
        return new Quote(
                states.get(place).name(),
                Quote.Latency.ofSeconds(p.ttft, p.ttftBound),
                Quote.Latency.ofSeconds(p.tpot, p.tpotBound),
                Quote.Latency.ofSeconds(p.endToEnd, p.endToEndBound),
                Money.ofNanoUsd(p.cost),
                p.fit);
    }

    /** A limit in seconds; infinity where there is none. */
    static double seconds(@Nullable Duration limit) {
        return limit == null ? Double.POSITIVE_INFINITY : limit.toNanos() * 1e-9;
    }
}
