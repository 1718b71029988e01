package dev.penstock.weights;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/** A log line when a phase begins that takes long enough for one, and at each quarter of it. */
public final class LogProgress implements BuildProgress {
    private static final Logger LOG = System.getLogger(LogProgress.class.getPackageName());
    private static final int LINES = 4;
    private static final long MIB = 1 << 20;

    /** Phases under this are over in a second or two. */
    private static final long SHORT_BYTES = 256 * MIB;

    private final Object lock = new Object();
    private final String model;
    private String phase = "";
    private long total;
    private long done;

    /** For the build of the model of that name. */
    LogProgress(String model) {
        this.model = model;
    }

    /** Whether a phase takes long enough to be told; one that does not know its size, such as waiting, may. */
    static boolean isLong(long bytes) {
        return bytes == 0 || bytes >= SHORT_BYTES;
    }

    @Override
    public void start(String newPhase, long bytes) {
        synchronized (lock) {
            phase = newPhase;
            total = bytes;
            done = 0;
        }
        if (isLong(bytes)) {
            String size = bytes == 0 ? "" : ", %,d MiB".formatted(Math.ceilDiv(bytes, MIB));
            LOG.log(Level.INFO, "%s: %s%s".formatted(model, newPhase, size));
        }
    }

    @Override
    public void advance(long bytes) {
        String line;
        synchronized (lock) {
            long before = done;
            done += bytes;
            if (total < SHORT_BYTES || before * LINES / total == done * LINES / total) {
                return;
            }
            line = "%s: %s, %d %%".formatted(model, phase, 100 * done / total);
        }
        LOG.log(Level.INFO, line);
    }

    @Override
    public void close() {}
}
