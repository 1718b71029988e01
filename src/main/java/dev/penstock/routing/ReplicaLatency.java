package dev.penstock.routing;

/**
 * Latencies of a backend whose steps are known: prompts are computed in order of arrival, in chunks, beside the sequences
 * that decode. The time to the first token is the wait for a place, what is left of the step that runs, and the steps that
 * the prompts before this one and it itself take.
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
        double room = Math.max(1, spec.stepTokens() - Math.min(decoding, 0.5 * spec.stepTokens()));

        double queued = s.promptTokens();
        double queuedWork = s.promptWork();
        double inStep = 0;
        double stepLeft = 0;
        if (s.inFlight() > 0) {
            inStep = Math.min(queued, room);
            double context = queued == 0 ? 0 : queuedWork / queued;
            double length = steps.seconds(inStep, context, s.decoding(), s.kvTokens());
            stepLeft = Math.max(0, length - (nowNs - s.stepBeganNs()) * 1e-9);
            queuedWork -= inStep * context;
            queued -= inStep;
        }
        double promptSteps = Math.ceil((queued + uncached) / room);
        double before = Math.min(spec.maxSequences() - 1, sequences);
        double base = steps.seconds(0, 0, 0.5 * (decoding + before), s.kvTokens());
        double promptTime = promptSteps * base
                + steps.perPromptToken() * (queued + uncached)
                + steps.perPromptTokenAndContext() * (queuedWork + work);

        double context = promptTokens + 0.5 * tokens;
        double decodeStep = steps.seconds(0, 0, before + 1, s.kvTokens() + context);
        out.decodeSeconds = decodeStep;
        double wait = stepLeft + promptTime;
        double toCome = s.promptRate(nowNs) * (wait + tokens * decodeStep);
        double promptShare = Math.min(1, toCome / (tokens * room));
        out.tpotPoint = decodeStep + promptShare * room * steps.perPromptToken();
        out.ttftPoint = departuresNeeded(s, sequences, promptTokens + tokens)
                        * s.meanTokensLeft()
                        * out.tpotPoint
                        / Math.max(1, before)
                + wait;
        double ownSteps = Math.ceil(uncached / (double) spec.stepTokens());
        out.promptSeconds = steps.perPromptToken() * uncached + steps.perPromptTokenAndContext() * work;
        out.idleTtftPoint = ownSteps * steps.seconds(0, 0, 0, promptTokens) + out.promptSeconds;
        out.promptSteps = promptSteps;
        out.ownSteps = ownSteps;
        out.queueSeconds = promptTime - promptSteps * base + inStep * steps.perPromptToken();

        double moreSteps = Math.max(0, promptSteps + tokens - s.stepsLeft());
        out.busySeconds = moreSteps * steps.base()
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
