package dev.penstock.routing;

import dev.penstock.engine.EngineObserver;

/** Tells a router how long the steps of a replica take. */
public final class StepFeed implements EngineObserver {
    private volatile Sink sink = step -> {};

    /** Takes a step. */
    interface Sink {
        void take(StepSummary step);
    }

    /** Sends what comes from now on there, and there alone. */
    void attach(Sink to) {
        sink = to;
    }

    /** Sends what comes from now on to this model of step times, and there alone. */
    public void attachTo(StepTimeModel times) {
        attach(step -> times.observe(
                step.promptTokens(), step.promptContext(), step.decodeTokens(), step.kvTokens(), seconds(step)));
    }

    static double seconds(StepSummary step) {
        return (step.scheduleNs() + step.runNs() + step.publishNs()) * 1e-9;
    }

    @Override
    public void stepEnded(StepSummary step) {
        if (!step.failed()) {
            sink.take(step);
        }
    }
}
