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
            double stepLength = steps.seconds(inStep, context, s.decoding(), s.kvTokens());
            stepLeft = Math.max(0, stepLength - (nowNs - s.stepBeganNs()) * 1e-9);
            queuedWork -= inStep * context;
            queued -= inStep;
        }

        // The prompts before this one, then itself. Each that is done decodes beside those after it for a while.
        double beside = 0;
        double alone = 0;
        double ownSide = 0;
        double ownWhole = 0;
        double there = decoding;
        double company = 0;
        double length = s.inFlight() == 0 ? tokens : s.meanTokensLeft();
        double skipped = inStep;
        List<Reservation> before = s.prompts();
        for (int i = 0; i <= before.size(); i++) {
            double left = uncached;
            if (i < before.size()) {
                Reservation r = before.get(i);
                left = Math.max(0, r.promptLeft - skipped);
                skipped -= r.promptLeft - left;
            }
            double most = left / side;
            double last = length * harmonic(there);
            ownSide = last <= 0 ? 0 : Math.min(most, last * (1 - Math.exp(-most / last)));
            ownWhole = (left - ownSide * side) / whole;
            beside += ownSide;
            alone += ownWhole;
            double taken = ownSide + ownWhole;
            double stay = Math.exp(-taken / length);
            // The mean of what fades from there to there·stay.
            company += there * length * (1 - stay);
            there *= stay;
            there += i < before.size() ? 1 : 0;
        }
        double lastRoom = ownWhole > 0 ? whole : side;
        double promptSteps = Math.ceil(beside + alone);
        // The last step is seldom full.
        double spare = promptSteps - beside - alone;
        double places = Math.min(spec.maxSequences() - 1, sequences);
        double kvEach = s.inFlight() == 0 ? 0 : s.kvTokens() / (double) s.inFlight();
        double mean = Math.min(places, company / Math.max(1, beside));
        double besideStep = steps.seconds(0, 0, mean, mean * kvEach);
        double stepTime = alone * steps.base() + beside * besideStep + spare * (alone > 0 ? steps.base() : besideStep);
        double sideTime = steps.promptSeconds(side);
        double wholeTime = steps.promptSeconds(whole);
        double unused = steps.promptSeconds(lastRoom) * (1 - spare) - steps.promptSeconds(lastRoom * (1 - spare));
        double contexts = steps.perPromptTokenAndContext();
        double tokenTime = beside * sideTime + alone * wholeTime - unused + contexts * (queuedWork + work);

        double context = promptTokens + 0.5 * tokens;
        double others = Math.min(places, there);
        double decodeStep = steps.seconds(0, 0, others + 1, others * kvEach + context);
        double wait = stepLeft + stepTime + tokenTime;
        double rate = s.promptRate(nowNs);
        // Prompts come while this one waits and while it decodes, which they make longer themselves.
        double toCome = rate * (wait + tokens * decodeStep) / (tokens * side);
        double promptShare = Math.min(1, toCome / Math.max(1e-3, 1 - rate * sideTime / side));
        out.decodeSeconds = decodeStep;
        out.tpotPoint = decodeStep + promptShare * sideTime;
        out.ttftPoint = departuresNeeded(s, sequences, promptTokens + tokens)
                        * s.meanTokensLeft()
                        * out.tpotPoint
                        / Math.max(1, places)
                + wait;
        out.promptSeconds = ownSide * sideTime + ownWhole * wholeTime - unused + contexts * work;
        out.idleTtftPoint = Math.ceil(uncached / whole) * steps.base()
                + uncached / whole * wholeTime
                + contexts * work;
        out.promptSteps = promptSteps;
        out.ownSteps = ownSide + ownWhole;
        out.queueSeconds = tokenTime + steps.promptSeconds(inStep);

        double longer = tokens * (there < 1e-3 ? 1 : (1 - Math.exp(-there)) / there);
        out.busySeconds = (ownWhole + longer) * steps.base()
                + out.promptSeconds
                + tokens * (steps.perSequence() + steps.perKvToken() * context);
        out.ttftBucket = bucket(promptSteps, decoding);
        out.tpotBucket = Math.min(PROMPT_CLASSES - 1, (int) (PROMPT_CLASSES * promptShare)) * SEQUENCE_CLASSES
                + (int) Math.min(SEQUENCE_CLASSES - 1, tokens / SHORT_OUTPUT);
    }

    @Override
    public void sawStep(int promptTokens, double context, int sequences, long kvTokens, double seconds) {
        steps.observe(promptTokens, context, sequences, kvTokens, seconds);
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
