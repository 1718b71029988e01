package dev.penstock.engine;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicBoolean;

/** Keeps what an observer throws away from the loop. Logs the first of it: there may be one a token. */
final class GuardedObserver implements EngineObserver {
    private static final Logger LOG = System.getLogger(GuardedObserver.class.getName());

    private final EngineObserver observer;
    private final AtomicBoolean failed = new AtomicBoolean();

    GuardedObserver(EngineObserver observer) {
        this.observer = observer;
    }

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

    private void guard(Runnable call) {
        try {
            call.run();
        } catch (Throwable e) {
            // An Error too: an observer's stack overflow is no reason to stop generating.
            if (!failed.getAndSet(true)) {
                LOG.log(Level.WARNING, "An observer of the engine failed; further failures of it are not logged", e);
            }
        }
    }
}
