package dev.penstock.weights;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/** A log line when a phase begins and at each quarter of one that has sizes worth a line. */
public final class LogProgress implements BuildProgress {
    private static final Logger LOG = System.getLogger(LogProgress.class.getPackageName());
    private static final int LINES = 4;
    private static final long MIB = 1 << 20;

    /** Phases under this are over before anyone reads the line. */
    private static final long SMALL_BYTES = 64 * MIB;

    private final Object lock = new Object();
    private String phase = "";
    private long total;
    private long done;

    @Override
    public void start(String newPhase, long bytes) {
        synchronized (lock) {
            phase = newPhase;
            total = bytes;
            done = 0;
        }
        LOG.log(Level.INFO, bytes == 0 ? newPhase : "%s: %,d MiB".formatted(newPhase, Math.ceilDiv(bytes, MIB)));
    }

    @Override
    public void advance(long bytes) {
        String line;
        synchronized (lock) {
            long before = done;
            done += bytes;
            if (total < SMALL_BYTES || before * LINES / total == done * LINES / total) {
                return;
            }
            line = "%s: %d %%".formatted(phase, 100 * done / total);
        }
        LOG.log(Level.INFO, line);
    }

    @Override
    public void close() {}
}
