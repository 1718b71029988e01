package dev.penstock.routing;

import java.util.List;

/**
 * Latencies of a backend whose steps are known: prompts are computed in order of arrival, in chunks, small ones beside
 * sequences that decode and large ones where none does. The time to the first token is the wait for a place, what is left of
 * the step that runs, and the steps that the prompts before this one and it itself take.
 */
public final class ReplicaLatency implements LatencyModel {
    private static final int SEQUENCE_CLASSES = 3;
    private static final int PROMPT_CLASSES = 4;

    /** Outputs up to this length meet a few steps of others' prompts or none; longer ones meet the average. */
    private static final double SHORT_OUTPUT = 40;

    private final StepTimeModel steps;

    /** Over a model of step times, which learns from here on. */
    public ReplicaLatency(StepTimeModel steps) {
        this.steps = steps;
    }

    /** The model of step times. */
    public StepTimeModel steps() {
        return steps;
    }

    @Override
    public int buckets() {
        return SEQUENCE_CLASSES * PROMPT_CLASSES;
    }

    @Override
    public void predict(BackendState s, int promptTokens, int cached, double tokens, long nowNs, Prediction out) {
        BackendSpec spec = s.spec();
        int uncached = promptTokens - cached;
        double work = uncached * (cached + 0.5 * uncached);
        double sequences = s.sequences(nowNs);
        double decoding = s.decoding() + sequences - s.inFlight();
        double whole = spec.stepTokens();
        double side = Math.clamp(whole - decoding, 1, spec.promptTokensBesideDecodes());

        double queued = s.promptTokens();
        double queuedWork = s.promptWork();
        double inStep = 0;
        double stepLeft = 0;
        if (s.inFlight() > 0) {
            inStep = Math.min(queued, decoding < 0.5 ? whole : side);
            double context = queued == 0 ? 0 : queuedWork / queued;
            double length = steps.seconds(inStep, context, s.decoding(), s.kvTokens());
            stepLeft = Math.max(0, length - (nowNs - s.stepBeganNs()) * 1e-9 / s.pace());
            queuedWork -= inStep * context;
        }
        walk(s, uncached, tokens, decoding, inStep, side, whole, out);

        double places = Math.min(spec.maxSequences() - 1, sequences);
        double kvEach = s.inFlight() == 0 ? 0 : s.kvTokens() / (double) s.inFlight();
        double beside = Math.min(places, out.company / Math.max(1, out.sideSteps));
        double besideStep = steps.seconds(0, 0, beside, beside * kvEach);
        double sideTime = steps.promptSeconds(side);
        double wholeTime = steps.promptSeconds(whole);
        // The last step is seldom full.
        out.promptSteps = Math.ceil(out.sideSteps + out.wholeSteps);
        double spare = out.promptSteps - out.sideSteps - out.wholeSteps;
        double lastRoom = out.ownWholeSteps > 0 ? whole : side;
        double lastStep = out.ownWholeSteps > 0 ? steps.base() : besideStep;
        double ownTime = out.ownSideSteps * sideTime + out.ownWholeSteps * wholeTime;
        // What small chunks take for the most part is less than what a whole step may leave unused.
        double unused = Math.min(
                ownTime, steps.promptSeconds(lastRoom) * (1 - spare) - steps.promptSeconds(lastRoom * (1 - spare)));
        double stepTime = out.wholeSteps * steps.base() + out.sideSteps * besideStep + spare * lastStep;
        double contexts = steps.perPromptTokenAndContext();
        double tokenTime =
                out.sideSteps * sideTime + out.wholeSteps * wholeTime - unused + contexts * (queuedWork + work);
        double wait = stepLeft + stepTime + tokenTime;

        double context = promptTokens + 0.5 * tokens;
        double others = Math.min(places, out.survivors);
        out.decodeSeconds = steps.seconds(0, 0, others + 1, others * kvEach + context);
        double promptShare = promptShare(s.promptRate(nowNs) * s.pace(), wait, tokens, side, sideTime, out);
        out.tpotPoint = out.decodeSeconds + promptShare * sideTime;
        double departures = departuresNeeded(s, sequences, promptTokens + tokens);
        out.ttftPoint = departures * s.meanTokensLeft() * out.tpotPoint / Math.max(1, places) + wait;
        out.promptSeconds = ownTime - unused + contexts * work;
        out.idleTtftPoint = Math.ceil(uncached / whole) * steps.base() + uncached / whole * wholeTime + contexts * work;
        out.ownSteps = out.ownSideSteps + out.ownWholeSteps;
        out.queueSeconds = tokenTime + steps.promptSeconds(inStep);
        out.busySeconds = (out.ownWholeSteps + tokens * lastShare(out.survivors, sequences)) * steps.base()
                + out.promptSeconds
                + tokens * (steps.perSequence() + steps.perKvToken() * context);
        out.slowDown(s.pace());
        out.ttftBucket = bucket(out.promptSteps, decoding);
        out.tpotBucket = Math.min(PROMPT_CLASSES - 1, (int) (PROMPT_CLASSES * promptShare)) * SEQUENCE_CLASSES
                + (int) Math.min(SEQUENCE_CLASSES - 1, tokens / SHORT_OUTPUT);
    }

    /**
     * Counts the steps of the prompts before this one, then of itself: small chunks while something decodes, whole ones after
     * that. How long a sequence decodes is taken not to depend on how long it did, so that the last of n ends after the
     * n-th harmonic number of mean lives.
     */
    private static void walk(
            BackendState s,
            double uncached,
            double tokens,
            double decoding,
            double inStep,
            double side,
            double whole,
            Prediction out) {
        List<Reservation> before = s.prompts();
        double life = s.inFlight() == 0 ? tokens : s.meanTokensLeft();
        double skipped = inStep;
        out.sideSteps = 0;
        out.wholeSteps = 0;
        out.company = 0;
        out.survivors = decoding;
        for (int i = 0; i <= before.size(); i++) {
            double left = uncached;
            if (i < before.size()) {
                left = Math.max(0, before.get(i).promptLeft - skipped);
                skipped -= before.get(i).promptLeft - left;
            }
            double most = left / side;
            double last = life * harmonic(out.survivors);
            double bySide = last <= 0 ? 0 : Math.min(most, last * (1 - Math.exp(-most / last)));
            double byWhole = (left - bySide * side) / whole;
            double stay = Math.exp(-(bySide + byWhole) / life);
            out.sideSteps += bySide;
            out.wholeSteps += byWhole;
            out.company += out.survivors * life * (1 - stay);
            out.survivors *= stay;
            if (i < before.size()) {
                out.survivors++;
            } else {
                out.ownSideSteps = bySide;
                out.ownWholeSteps = byWhole;
            }
        }
    }

    /**
     * The share of its decoding steps in which a request meets prompts: those that come while it waits and while it decodes,
     * which they make longer themselves.
     */
    private static double promptShare(
            double rate, double wait, double tokens, double side, double sideTime, Prediction p) {
        double toCome = rate * (wait + tokens * p.decodeSeconds) / (tokens * side);
        return Math.min(1, toCome / Math.max(1e-3, 1 - rate * sideTime / side));
    }

    /**
     * The part of an ageless life for which none of n others is there any more, each of which is with the same chance when it
     * begins: the mean of 1 / (1 + how many are).
     */
    private static double lastShare(double survivors, double n) {
        if (survivors < 1e-3) {
            return 1;
        }
        double chance = survivors / n;
        double noneOfAll = chance >= 1 ? 0 : Math.exp((n + 1) * Math.log1p(-chance));
        return (1 - noneOfAll) / ((n + 1) * chance);
    }

    @Override
    public double sawStep(int promptTokens, double context, int sequences, long kvTokens, double seconds) {
        double foretold = steps.seconds(promptTokens, context, sequences, kvTokens);
        steps.observe(promptTokens, context, sequences, kvTokens, seconds);
        return seconds / foretold;
    }

    /** How many times the mean life of one the last of so many lives, where a life doesn't depend on age. */
    private static double harmonic(double n) {
        return n <= 1 ? n : Math.log(n) + 0.5772 + (0.5 - 1 / (12 * n)) / n;
    }

    /** Sequences that must end before a place and room in the cache are free. */
    private static double departuresNeeded(BackendState s, double sequences, double kvNeeded) {
        double forPlace = Math.max(0, sequences + 1 - s.spec().maxSequences());
        double missing = s.kvPromised() + kvNeeded - s.spec().kvTokens();
        double forCache = missing <= 0 || s.inFlight() == 0 ? 0 : missing * s.inFlight() / s.kvPromised();
        return Math.max(forPlace, forCache);
    }

    private static int bucket(double promptSteps, double decoding) {
        int prompt = promptSteps <= 1 ? 0 : promptSteps <= 4 ? 1 : promptSteps <= 16 ? 2 : 3;
        int beside = decoding < 1 ? 0 : decoding <= 4 ? 1 : 2;
        return prompt * SEQUENCE_CLASSES + beside;
    }
}
