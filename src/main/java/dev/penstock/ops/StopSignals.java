package dev.penstock.ops;

import java.util.concurrent.atomic.AtomicBoolean;
import sun.misc.Signal;

/**
 * Stops the process when it is asked to by SIGTERM or Ctrl-C. The JVM by itself would run its shutdown hooks, in which
 * Quarkus closes the HTTP server before anybody can drain requests, and end with 143.
 */
final class StopSignals {
    private static final int SIGNAL_BASE = 128;

    private final Runnable drain;
    private final AtomicBoolean stopping = new AtomicBoolean();

    private StopSignals(Runnable drain) {
        this.drain = drain;
    }

    /** From now on a signal drains and then exits with 0, as it is the proper way to stop; a second one does not wait. */
    static void handle(Runnable drain) {
        StopSignals signals = new StopSignals(drain);
        Signal.handle(new Signal("TERM"), signals::stop);
        Signal.handle(new Signal("INT"), signals::stop);
    }

    /** On a thread of its own, one a signal. */
    private void stop(Signal signal) {
        if (stopping.getAndSet(true)) {
            Runtime.getRuntime().halt(SIGNAL_BASE + signal.getNumber());
        }
        try {
            drain.run();
        } finally {
            System.exit(0);
        }
    }
}
