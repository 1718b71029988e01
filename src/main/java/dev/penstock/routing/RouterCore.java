package dev.penstock.routing;

import dev.penstock.model.Budget;
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

    /** First tokens that a kind's predictions must have been held against before they are reason enough to refuse. */
    private static final int PROVEN = 20;

    /** What a prediction may be off by until then: devices of a class differ by no more. */
    private static final double UNPROVEN_FACTOR = 10;

    /** The share of misses up to which a request may run that no bound promises anything. */
    private static final double LIKELY = 0.5;

    private final RouterOptions options;
    private final SplittableRandom random;
    private final LengthModel lengths;
    private final Candidates backends;

    /** A router without backends that learns lengths by itself. */
    public RouterCore(RouterOptions options) {
        this(options, new OutputLengths());
    }

    /** A router without backends. */
    public RouterCore(RouterOptions options, LengthModel lengths) {
        this.options = options;
        this.lengths = lengths;
        backends = new Candidates(options, lengths);
        random = new SplittableRandom(options.seed());
    }

    /** Lets a backend take requests; its place is the number of those before it. */
    public synchronized int add(BackendSpec spec, Price price, Calibration calibration, long nowNs) {
        return backends.add(spec, price, calibration, nowNs);
    }

    /** Changes what a backend costs, from the next decision on. */
    public synchronized void setPrice(int place, Price price) {
        backends.state(place).setPrice(price);
    }

    /** Opens or closes a backend for new requests. */
    public synchronized void setUp(int place, boolean up) {
        backends.state(place).setUp(up);
    }

    /** Corrects the view of a backend by a report of how many requests are there. */
    public synchronized void report(int place, double sequences, long nowNs) {
        backends.state(place).report(sequences, nowNs);
    }

    /** Decides on a request and takes its place. */
    public synchronized Decision decide(Demand demand, long nowNs) {
        backends.assess(demand, nowNs);
        int pick = backends.choose(false);
        boolean spilled = pick < 0;
        if (spilled) {
            pick = backends.choose(true);
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
        backends.assessOnly(place, demand, nowNs);
        return reserve(place, demand, nowNs);
    }

    /** What each backend would answer to a request, in the order in which they were added; takes no place. */
    public synchronized List<Quote> quotes(Demand demand, long nowNs) {
        backends.assess(demand, nowNs);
        List<Quote> quotes = new ArrayList<>();
        for (int i = 0; i < backends.size(); i++) {
            Prediction p = backends.prediction(i);
            if (p.fit == Fit.FEASIBLE && backends.harms(i)) {
                p.fit = Fit.HARMS_OTHERS;
            }
            quotes.add(backends.quote(i));
        }
        return quotes;
    }

    /** A token has come; without effect once the request has ended, as one may be under way then. */
    public synchronized void token(Reservation r, long nowNs) {
        if (r.ended) {
            return;
        }
        boolean first = r.tokens == 0;
        r.state.token(r, lengths.remaining(r.demand.caller(), r.demand.maxTokens(), r.tokens + 1), nowNs);
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
        BackendState s = backends.state(place);
        s.step(promptTokens, nowNs);
        s.stepBias.observe(s.calibration.model().sawStep(promptTokens, context, sequences, kvTokens, seconds));
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
        return backends.state(place).inFlight();
    }

    private Reason reason(Demand demand, int pick) {
        if (demand.budget().sort() != Budget.Sort.PRICE) {
            return Reason.FASTEST;
        }
        int cheapest = backends.best(false);
        if (cheapest == pick) {
            return Reason.CHEAPEST;
        }
        boolean warmer = backends.prediction(pick).cached > backends.prediction(cheapest).cached;
        return warmer ? Reason.PREFIX_WARM : Reason.FULLEST;
    }

    /** One that fits with much slack and was not picked for long, at most as often as the options say; or -1. */
    private int explore(int pick, Demand demand, long nowNs) {
        if (options.exploreShare() == 0 || random.nextDouble() >= options.exploreShare()) {
            return -1;
        }
        int oldest = -1;
        for (int i = 0; i < backends.size(); i++) {
            Prediction p = backends.prediction(i);
            if (isUnknown(backends.state(i), nowNs)
                    && i != pick
                    && backends.fits(i, false)
                    && p.cost <= EXPLORE_COST * backends.prediction(pick).cost
                    && hasSlack(p, demand.budget())
                    && (oldest < 0
                            || backends.state(i).lastPickNs()
                                    < backends.state(oldest).lastPickNs())
                    && !backends.harms(i)) {
                oldest = i;
            }
        }
        return oldest;
    }

    /** Kinds share what they learn: only one of a kind not seen for long, or one that was slow, is worth a look. */
    private static boolean isUnknown(BackendState s, long nowNs) {
        return nowNs - s.calibration.lastPickNs > UNSEEN_NS
                || (nowNs - s.lastPickNs() > UNSEEN_NS && s.pace() * s.ttftBias.factor() > SLOW);
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
        double paid = backends.prediction(pick).cost;
        for (int i = 0; i < backends.size(); i++) {
            Prediction p = backends.prediction(i);
            BackendState s = backends.state(i);
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
        double leastMiss = Double.POSITIVE_INFINITY;
        int leastLate = -1;
        int unproven = -1;
        for (int i = 0; i < backends.size(); i++) {
            Prediction p = backends.prediction(i);
            BackendState s = backends.state(i);
            if (p.fit == Fit.DOWN || p.fit == Fit.TOO_LONG || p.fit == Fit.TOO_DEAR) {
                continue;
            }
            if (isUnproven(s, p, demand, nowNs)
                    && (unproven < 0 || p.endToEnd < backends.prediction(unproven).endToEnd)) {
                unproven = i;
            }
            double miss = backends.missShare(i);
            if (miss < leastMiss || (miss == leastMiss && p.endToEnd < backends.prediction(leastLate).endToEnd)) {
                leastLate = i;
                leastMiss = miss;
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
        if (unproven >= 0) {
            return run(unproven, demand, nowNs, Reason.EXPLORED);
        }
        if (wait < Double.POSITIVE_INFINITY) {
            return new Decision.Wait(nowNs + Math.max(1_000_000, Math.round(wait * 1e9)), Reason.WAITING);
        }
        if (leastLate >= 0 && mayBeLate(demand, leastLate, leastMiss)) {
            return run(leastLate, demand, nowNs, Reason.BEST_EFFORT);
        }
        boolean possible = retry < Double.POSITIVE_INFINITY;
        return new Decision.Shed(
                Duration.ofNanos(possible ? Math.round(retry * 1e9) : 0),
                possible ? Reason.SATURATED : Reason.NO_BACKEND);
    }

    /** Whether it is idle, of a kind hardly seen, and would fit if its kind were faster than foretold by what may be. */
    private boolean isUnproven(BackendState s, Prediction p, Demand demand, long nowNs) {
        return options.late() == RouterOptions.Late.LIKELY
                && s.inFlight() == 0
                && s.calibration.ttft().seen() < PROVEN
                && p.ttftBound <= UNPROVEN_FACTOR * ttftLeft(demand, nowNs)
                && p.tpotBound
                        <= UNPROVEN_FACTOR * Candidates.seconds(demand.budget().tpot());
    }

    private boolean mayBeLate(Demand demand, int place, double missShare) {
        return switch (options.late()) {
            case REFUSE -> false;
            case LIKELY -> missShare <= LIKELY && !backends.harms(place);
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
        r.dearest = backends.dearest();
        return new Decision.Run(r, backends.quote(place), reason);
    }

    private Reservation reserve(int place, Demand demand, long nowNs) {
        BackendState s = backends.state(place);
        Reservation r = new Reservation(s, demand, backends.prediction(place), nowNs);
        s.reserve(r, nowNs);
        s.calibration.lastPickNs = nowNs;
        return r;
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() * 1e-9;
    }
}
