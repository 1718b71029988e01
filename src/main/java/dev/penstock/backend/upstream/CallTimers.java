package dev.penstock.backend.upstream;

import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The time limits of one call; for its context. */
final class CallTimers {
    private final Vertx vertx;
    private final List<Long> ids = new ArrayList<>();
    private long heardNs;
    private boolean paused;
    private boolean cancelled;

    CallTimers(Vertx vertx) {
        this.vertx = vertx;
    }

    /** Runs this after so long, unless {@link #cancel} comes before. */
    void after(Duration limit, Runnable action) {
        ids.add(vertx.setTimer(Math.max(1, limit.toMillis()), id -> {
            if (!cancelled) {
                action.run();
            }
        }));
    }

    /** Runs this when nothing was {@link #heard} for so long, a pause not counted. */
    void watchIdle(Duration limit, Runnable action) {
        heard();
        watch(limit, limit, action);
    }

    private void watch(Duration limit, Duration rest, Runnable action) {
        after(rest, () -> {
            Duration left = paused ? limit : limit.minusNanos(System.nanoTime() - heardNs);
            if (left.isPositive()) {
                watch(limit, left, action);
            } else {
                action.run();
            }
        });
    }

    /** There was a sign of life. */
    void heard() {
        heardNs = System.nanoTime();
    }

    /** From now on silence is our own doing. */
    void pause() {
        paused = true;
    }

    /** Silence counts from now on. */
    void resume() {
        paused = false;
        heard();
    }

    /** Ends all of them. */
    void cancel() {
        cancelled = true;
        ids.forEach(vertx::cancelTimer);
        ids.clear();
    }
}
