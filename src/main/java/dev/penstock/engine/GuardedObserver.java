package dev.penstock.engine;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/** Keeps what an observer throws away from the loop. */
record GuardedObserver(EngineObserver observer) implements EngineObserver {
    private static final Logger LOG = System.getLogger(GuardedObserver.class.getName());

    @Override
    public void stepEnded(StepSummary step) {
        guard(() -> observer.stepEnded(step));
    }

    @Override
    public void firstToken(long queueNs, long ttftNs) {
        guard(() -> observer.firstToken(queueNs, ttftNs));
    }

    @Override
    public void sequenceEnded(SequenceSummary sequence) {
        guard(() -> observer.sequenceEnded(sequence));
    }

    private static void guard(Runnable call) {
        try {
            call.run();
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "An observer of the engine failed", e);
        }
    }
}
