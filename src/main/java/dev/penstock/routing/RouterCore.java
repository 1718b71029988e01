package dev.penstock.routing;

import dev.penstock.model.Budget;
import dev.penstock.model.Money;
import dev.penstock.model.Price;
import dev.penstock.routing.Decision.Reason;
import dev.penstock.routing.Quote.Fit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Decides which backend of a model takes a request: the cheapest whose latency, at the bound of nine in ten, fits the budget
 * and which harms nothing that runs there. Pure: state and the caller's clock in, a decision out; it knows no thread, no
 * socket and no time of its own. The place is taken at the pick, under one lock, so that a burst sees itself. Safe for many
 * threads.
 *
 * <p>A decision looks at each backend once, and at the requests in flight only of backends that it is about to pick. It
 * allocates nothing per backend or request in flight.
 */
public final class RouterCore {
    /** How fast shadow prices follow. */
    private static final double SHADOW_RATE = 0.02;

    /** A backend not picked for so long may be explored. */
    private static final long UNSEEN_NS = 60_000_000_000L;

    /** Exploring needs bounds below this share of the budget, and costs below this multiple of the cheapest. */
    private static final double EXPLORE_SLACK = 0.5;

    private static final double EXPLORE_COST = 2;

    /** A backend slower than its kind by this factor when it was last seen may have recovered. */
    private static final double SLOW = 1.1;

    /** Picks that may turn out to harm others before all are looked at in one go. */
    private static final int ONE_BY_ONE = 8;

    /** The share of misses up to which a request may run that no bound promises anything. */
    private static final double LIKELY = 0.5;

    /** How much a shadow price counts: most of what is taken is free again before someone misses it. */
    private static final double SHADOW_WEIGHT = 0.3;

    private final RouterOptions options;
    private final SplittableRandom random;
    private final LengthModel lengths;
    private final List<BackendState> backends = new ArrayList<>();
    private final List<Prediction> predictions = new ArrayList<>();

    /** A router without backends that learns lengths by itself. */
    public RouterCore(RouterOptions options) {
        this(options, new OutputLengths());
    }

    /** A router without backends. */
    public RouterCore(RouterOptions options, LengthModel lengths) {
        this.options = options;
        this.lengths = lengths;
        random = new SplittableRandom(options.seed());
    }

    /** Lets a backend take requests; its place is the number of those before it. */
    public synchronized int add(BackendSpec spec, Price price, Calibration calibration, long nowNs) {
        backends.add(new BackendState(spec, price, calibration, backends.size(), nowNs));
        predictions.add(new Prediction());
        return backends.size() - 1;
    }

    /** Changes what a backend costs, from the next decision on. */
    public synchronized void setPrice(int place, Price price) {
        backends.get(place).setPrice(price);
    }

    /** Opens or closes a backend for new requests. */
    public synchronized void setUp(int place, boolean up) {
        backends.get(place).setUp(up);
    }

    /** Corrects the view of a backend by a report of how many requests are there. */
    public synchronized void report(int place, double sequences, long nowNs) {
        backends.get(place).report(sequences, nowNs);
    }

    /** Decides on a request and takes its place. */
    public synchronized Decision decide(Demand demand, long nowNs) {
        assess(demand, nowNs);
        int pick = choose(demand, nowNs, false);
        boolean spilled = pick < 0;
        if (spilled) {
            pick = choose(demand, nowNs, true);
        }
        if (pick < 0) {
            return withoutFit(demand, nowNs);
        }
        Reason reason = spilled ? Reason.SPILLED : reason(demand, pick);
        int explored = spilled ? -1 : explore(pick, demand, nowNs);
        if (explored >= 0) {
            return run(explored, demand, nowNs, Reason.EXPLORED);
        }
        learnScarcity(pick);
        return run(pick, demand, nowNs, reason);
    }

    /** Puts a request on a backend whatever is predicted. */
    public synchronized Reservation place(int place, Demand demand, long nowNs) {
        predict(backends.get(place), predictions.get(place), demand, nowNs);
        return reserve(place, demand, nowNs);
    }

    /** What each backend would answer to a request, in the order in which they were added; takes no place. */
    public synchronized List<Quote> quotes(Demand demand, long nowNs) {
        assess(demand, nowNs);
        List<Quote> quotes = new ArrayList<>();
        for (int i = 0; i < backends.size(); i++) {
            Prediction p = predictions.get(i);
            if (p.fit == Fit.FEASIBLE && Externality.harms(backends.get(i), p, nowNs)) {
                p.fit = Fit.HARMS_OTHERS;
            }
            quotes.add(quote(i));
        }
        return quotes;
    }

    /** A token has come; without effect once the request has ended, as one may be under way then. */
    public synchronized void token(Reservation r, long nowNs) {
        if (r.ended) {
            return;
        }
        boolean first = r.tokens == 0;
        r.state.token(r, nowNs);
        if (first) {
            double seconds = Math.max(1, nowNs - r.sinceNs) * 1e-9;
            double ratio = seconds / r.ttftPoint;
            r.state.ttftBias.observe(ratio);
            r.state.calibration.ttft().observe(r.ttftBucket, ratio / r.ttftBias, r.ttftBoundFactor);
            r.state.calibration.model().sawFirstToken(r, seconds);
        }
    }

    /** A step of a backend has ended: so many prompt tokens at that mean context beside so many sequences. */
    public synchronized void step(
            int place, int promptTokens, double context, int sequences, long kvTokens, double seconds, long nowNs) {
        BackendState s = backends.get(place);
        s.step(promptTokens, nowNs);
        s.calibration.model().sawStep(promptTokens, context, sequences, kvTokens, seconds);
    }

    /** A request has come to its end, with all its tokens or not; further calls do nothing. */
    public synchronized void end(Reservation r, boolean complete, long nowNs) {
        if (complete) {
            end(r, r.tokens, nowNs);
        } else if (!r.ended) {
            r.state.end(r, true);
        }
    }

    /** The caller of a request has left it, which says nothing of its backend; further calls do nothing. */
    public synchronized void leave(Reservation r) {
        if (!r.ended) {
            r.state.end(r, false);
        }
    }

    /** A request has come to its end with so many tokens, of which not each was told of; further calls do nothing. */
    public synchronized void end(Reservation r, int tokens, long nowNs) {
        if (r.ended) {
            return;
        }
        r.state.end(r, false);
        lengths.observe(r.demand.caller(), tokens);
        if (r.tokens > 0 && tokens > 1) {
            double seconds = Math.max(1, nowNs - r.firstTokenNs) * 1e-9 / (tokens - 1);
            double ratio = seconds / r.tpotPoint;
            r.state.tpotBias.observe(ratio);
            r.state.calibration.tpot().observe(r.tpotBucket, ratio / r.tpotBias, r.tpotBoundFactor);
            r.state.calibration.model().sawEnd(r, seconds);
        }
    }

    /** Requests that have a place on a backend. */
    public synchronized int inFlight(int place) {
        return backends.get(place).inFlight();
    }

    private void assess(Demand demand, long nowNs) {
        for (int i = 0; i < backends.size(); i++) {
            BackendState s = backends.get(i);
            Prediction p = predictions.get(i);
            predict(s, p, demand, nowNs);
            boolean open = s.isUp() && !demand.tried().contains(s.name());
            p.fit = open ? fit(s, p, demand, nowNs) : Fit.DOWN;
        }
        score(demand);
    }

    private void predict(BackendState s, Prediction p, Demand demand, long nowNs) {
        double mean = lengths.mean(demand.caller(), demand.maxTokens());
        double upper = lengths.upper(demand.caller(), demand.maxTokens());
        p.cached = demand.cachedOn(s.name());
        p.expectedTokens = mean;
        s.calibration.model().predict(s, demand.promptTokens(), p.cached, mean, nowNs, p);
        double ttftBase = p.ttftPoint * s.ttftBias.factor();
        double tpotBase = p.tpotPoint * s.tpotBias.factor();
        p.ttft = ttftBase * s.calibration.ttft().expected(p.ttftBucket);
        p.ttftBound = ttftBase * s.calibration.ttft().bound(p.ttftBucket);
        p.tpot = tpotBase * s.calibration.tpot().expected(p.tpotBucket);
        p.tpotBound = tpotBase * s.calibration.tpot().bound(p.tpotBucket);
        p.endToEnd = p.ttft + (mean - 1) * p.tpot;
        p.endToEndBound = p.ttftBound + (Math.max(mean, upper) - 1) * p.tpotBound;
        p.cost = CostModel.marginal(s, demand, p);
    }

    private Fit fit(BackendState s, Prediction p, Demand demand, long nowNs) {
        Budget budget = demand.budget();
        double elapsed = (nowNs - demand.arrivedNs()) * 1e-9;
        double held = 1;
        if (demand.promptTokens() + p.expectedTokens > s.spec().kvTokens()) {
            return Fit.TOO_LONG;
        }
        Price.PerToken limit = budget.maxPrice();
        if (limit != null && p.cost > CostModel.ceiling(limit, demand, p)) {
            return Fit.TOO_DEAR;
        }
        Fit fit = Fit.FEASIBLE;
        if (budget.endToEnd() != null) {
            double left = seconds(budget.endToEnd()) - elapsed;
            held *= 1 - CostModel.missShare(left, p.endToEnd, p.endToEndBound);
            fit = p.endToEndBound > left ? Fit.END_TO_END : fit;
        }
        if (budget.tpot() != null) {
            double left = seconds(budget.tpot());
            held *= 1 - CostModel.missShare(left, p.tpot, p.tpotBound);
            fit = p.tpotBound > left ? Fit.TPOT : fit;
        }
        if (budget.ttft() != null) {
            double left = seconds(budget.ttft()) - elapsed;
            held *= 1 - CostModel.missShare(left, p.ttft, p.ttftBound);
            fit = p.ttftBound > left ? Fit.TTFT : fit;
        }
        p.missShare = 1 - held;
        return fit;
    }

    private void score(Demand demand) {
        double dearest = 0;
        for (Prediction p : predictions) {
            dearest = p.fit == Fit.FEASIBLE ? Math.max(dearest, p.cost) : dearest;
        }
        for (int i = 0; i < backends.size(); i++) {
            Prediction p = predictions.get(i);
            p.score = switch (demand.budget().sort()) {
                case PRICE ->
                    p.cost
                            + SHADOW_WEIGHT * backends.get(i).shadowPerSecond() * p.busySeconds
                            + options.missPenalty() * dearest * p.missShare;
                case LATENCY -> p.ttft;
                case THROUGHPUT -> p.tpot;
            };
        }
    }

    /** The best that fits and harms no one, or -1. */
    private int choose(Demand demand, long nowNs, boolean spill) {
        for (int tries = 1; ; tries++) {
            if (tries == ONE_BY_ONE) {
                dropHarmful(spill, nowNs);
            }
            int best = best(spill);
            if (best < 0) {
                return -1;
            }
            int pick = demand.budget().sort() == Budget.Sort.PRICE ? amongEquals(best, spill) : best;
            if (!Externality.harms(backends.get(pick), predictions.get(pick), nowNs)) {
                return pick;
            }
            predictions.get(pick).fit = Fit.HARMS_OTHERS;
        }
    }

    private void dropHarmful(boolean spill, long nowNs) {
        for (int i = 0; i < backends.size(); i++) {
            if (fits(i, spill) && Externality.harms(backends.get(i), predictions.get(i), nowNs)) {
                predictions.get(i).fit = Fit.HARMS_OTHERS;
            }
        }
    }

    private boolean fits(int place, boolean spill) {
        return predictions.get(place).fit == Fit.FEASIBLE
                && backends.get(place).spec().spill() == spill;
    }

    private int best(boolean spill) {
        int best = -1;
        for (int i = 0; i < backends.size(); i++) {
            if (fits(i, spill) && (best < 0 || predictions.get(i).score < predictions.get(best).score)) {
                best = i;
            }
        }
        return best;
    }

    /** Among those about as cheap as the best, the one that holds most of the prompt, then the fullest. */
    private int amongEquals(int best, boolean spill) {
        double limit = predictions.get(best).score * (1 + options.tieShare());
        int pick = best;
        for (int i = 0; i < backends.size(); i++) {
            if (fits(i, spill) && predictions.get(i).score <= limit) {
                int warmer = predictions.get(i).cached - predictions.get(pick).cached;
                if (warmer > 0 || (warmer == 0 && fullness(i) > fullness(pick))) {
                    pick = i;
                }
            }
        }
        return pick;
    }

    private double fullness(int place) {
        BackendState s = backends.get(place);
        return s.inFlight() / (double) s.spec().maxSequences();
    }

    private Reason reason(Demand demand, int pick) {
        if (demand.budget().sort() != Budget.Sort.PRICE) {
            return Reason.FASTEST;
        }
        int cheapest = best(false);
        if (cheapest == pick) {
            return Reason.CHEAPEST;
        }
        return predictions.get(pick).cached > predictions.get(cheapest).cached ? Reason.PREFIX_WARM : Reason.FULLEST;
    }

    /** One that fits with much slack and was not picked for long, at most as often as the options say; or -1. */
    private int explore(int pick, Demand demand, long nowNs) {
        if (options.exploreShare() == 0 || random.nextDouble() >= options.exploreShare()) {
            return -1;
        }
        int oldest = -1;
        for (int i = 0; i < backends.size(); i++) {
            Prediction p = predictions.get(i);
            if (isUnknown(backends.get(i), nowNs)
                    && i != pick
                    && fits(i, false)
                    && p.cost <= EXPLORE_COST * predictions.get(pick).cost
                    && hasSlack(p, demand.budget())
                    && (oldest < 0
                            || backends.get(i).lastPickNs()
                                    < backends.get(oldest).lastPickNs())
                    && !Externality.harms(backends.get(i), p, nowNs)) {
                oldest = i;
            }
        }
        return oldest;
    }

    /** Kinds share what they learn: only one of a kind not seen for long, or one that was slow, is worth a look. */
    private static boolean isUnknown(BackendState s, long nowNs) {
        return nowNs - s.calibration.lastPickNs > UNSEEN_NS
                || (nowNs - s.lastPickNs() > UNSEEN_NS && s.ttftBias.factor() > SLOW);
    }

    private static boolean hasSlack(Prediction p, Budget budget) {
        return within(p.ttftBound, budget.ttft())
                && within(p.tpotBound, budget.tpot())
                && within(p.endToEndBound, budget.endToEnd());
    }

    private static boolean within(double bound, @Nullable Duration limit) {
        return limit == null || bound <= EXPLORE_SLACK * seconds(limit);
    }

    /**
     * Moves shadow prices: a backend that would have been cheaper but had no capacity left has cost the difference for each
     * second of it that others took; one that had capacity has cost nothing.
     */
    private void learnScarcity(int pick) {
        double paid = predictions.get(pick).cost;
        for (int i = 0; i < backends.size(); i++) {
            Prediction p = predictions.get(i);
            BackendState s = backends.get(i);
            if (p.fit == Fit.FEASIBLE) {
                s.sawShadow(0, SHADOW_RATE);
            } else if (isBusy(s, p) && p.cost < paid && p.busySeconds > 0) {
                s.sawShadow((paid - p.cost) / p.busySeconds, SHADOW_RATE);
            }
        }
    }

    private static boolean isBusy(BackendState s, Prediction p) {
        return s.inFlight() > 0 && (p.fit == Fit.TTFT || p.fit == Fit.HARMS_OTHERS);
    }

    private Decision withoutFit(Demand demand, long nowNs) {
        double wait = Double.POSITIVE_INFINITY;
        double retry = Double.POSITIVE_INFINITY;
        int leastLate = -1;
        for (int i = 0; i < backends.size(); i++) {
            Prediction p = predictions.get(i);
            BackendState s = backends.get(i);
            if (p.fit == Fit.DOWN || p.fit == Fit.TOO_LONG || p.fit == Fit.TOO_DEAR) {
                continue;
            }
            Prediction least = leastLate < 0 ? null : predictions.get(leastLate);
            if (least == null
                    || p.missShare < least.missShare
                    || (p.missShare == least.missShare && p.endToEnd < least.endToEnd)) {
                leastLate = i;
            }
            double drain = s.meanTokensLeft() * p.tpot;
            if (p.fit == Fit.HARMS_OTHERS && p.ttftBound + drain <= ttftLeft(demand, nowNs)) {
                wait = Math.min(wait, drain);
            }
            // What an idle backend can't do none of those that end there makes possible.
            boolean mayFit = p.fit == Fit.TTFT || s.sequences(nowNs) >= 1;
            if (mayFit && p.idleTtftBound() <= ttftLeft(demand, demand.arrivedNs())) {
                double late = p.fit == Fit.TTFT ? p.ttftBound - ttftLeft(demand, demand.arrivedNs()) : drain;
                retry = Math.min(retry, Math.max(0, late));
            }
        }
        if (wait < Double.POSITIVE_INFINITY) {
            return new Decision.Wait(nowNs + Math.max(1_000_000, Math.round(wait * 1e9)), Reason.WAITING);
        }
        if (leastLate >= 0 && mayBeLate(demand, predictions.get(leastLate), backends.get(leastLate), nowNs)) {
            return run(leastLate, demand, nowNs, Reason.BEST_EFFORT);
        }
        boolean possible = retry < Double.POSITIVE_INFINITY;
        return new Decision.Shed(
                Duration.ofNanos(possible ? Math.round(retry * 1e9) : 0),
                possible ? Reason.SATURATED : Reason.NO_BACKEND);
    }

    private boolean mayBeLate(Demand demand, Prediction p, BackendState s, long nowNs) {
        return switch (options.late()) {
            case REFUSE -> false;
            case LIKELY -> p.missShare <= LIKELY && !Externality.harms(s, p, nowNs);
            case BEST_EFFORT -> demand.priority() >= 0;
        };
    }

    private static double ttftLeft(Demand demand, long nowNs) {
        Duration limit = demand.budget().ttft() != null
                ? demand.budget().ttft()
                : demand.budget().endToEnd();
        return limit == null ? Double.POSITIVE_INFINITY : seconds(limit) - (nowNs - demand.arrivedNs()) * 1e-9;
    }

    private Decision run(int place, Demand demand, long nowNs, Reason reason) {
        Reservation r = reserve(place, demand, nowNs);
        for (Prediction p : predictions) {
            r.dearest = p.fit == Fit.FEASIBLE ? Math.max(r.dearest, p.cost) : r.dearest;
        }
        return new Decision.Run(r, quote(place), reason);
    }

    private Reservation reserve(int place, Demand demand, long nowNs) {
        BackendState s = backends.get(place);
        Reservation r = new Reservation(s, demand, predictions.get(place), nowNs);
        s.reserve(r, nowNs);
        s.calibration.lastPickNs = nowNs;
        return r;
    }

    private Quote quote(int place) {
        Prediction p = predictions.get(place);
        return new Quote(
                backends.get(place).name(),
                Quote.Latency.ofSeconds(p.ttft, p.ttftBound),
                Quote.Latency.ofSeconds(p.tpot, p.tpotBound),
                Quote.Latency.ofSeconds(p.endToEnd, p.endToEndBound),
                Money.ofNanoUsd(p.cost),
                p.fit);
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() * 1e-9;
    }
}
