package dev.penstock.ops;

import dev.penstock.weights.BuildProgress;
import java.io.Console;
import java.util.concurrent.atomic.AtomicLong;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/** Shows how far the build of a model is: a bar on a terminal, otherwise a line in the log for each tenth. */
final class BuildBar {
    /** What is done in a second or two is not worth a word. */
    private static final long SHORT_BYTES = 256L << 20;

    private BuildBar() {}

    /** Whether a phase takes long enough to be shown; one that does not know its size, such as waiting, may. */
    private static boolean isLong(long bytes) {
        return bytes == 0 || bytes >= SHORT_BYTES;
    }

    /** For the model of that name. */
    static BuildProgress create(String model) {
        Console console = System.console();
        return console != null && console.isTerminal() ? new Bar(model) : new Lines(model);
    }

    private static final class Bar implements BuildProgress {
        private static final long BYTES_PER_MIB = 1 << 20;
        private static final int UPDATE_INTERVAL_MS = 100;

        private final String model;
        private @Nullable ProgressBar bar;

        Bar(String model) {
            this.model = model;
        }

        @Override
        public synchronized void start(String phase, long bytes) {
            close();
            if (!isLong(bytes)) {
                return;
            }
            bar = new ProgressBarBuilder()
                    .setTaskName(model + ": " + phase)
                    .setInitialMax(bytes)
                    .setUnit(" MiB", BYTES_PER_MIB)
                    .setUpdateIntervalMillis(UPDATE_INTERVAL_MS)
                    .setStyle(ProgressBarStyle.ASCII)
                    .build();
        }

        @Override
        public synchronized void advance(long bytes) {
            if (bar != null) {
                bar.stepBy(bytes);
            }
        }

        @Override
        public synchronized void close() {
            if (bar != null) {
                bar.close();
                bar = null;
            }
        }
    }

    private static final class Lines implements BuildProgress {
        private static final Logger LOG = Logger.getLogger(BuildBar.class);
        private static final int PARTS = 10;

        private final String model;
        private final AtomicLong done = new AtomicLong();
        private volatile String phase = "";
        private volatile long bytes;

        Lines(String model) {
            this.model = model;
        }

        @Override
        public void start(String newPhase, long newBytes) {
            phase = newPhase;
            bytes = newBytes;
            done.set(0);
            if (isLong(newBytes)) {
                LOG.infof("%s: %s", model, newPhase);
            }
        }

        @Override
        public void advance(long more) {
            long after = done.addAndGet(more);
            long total = bytes;
            if (total < SHORT_BYTES) {
                return;
            }
            long part = PARTS * after / total;
            if (part > PARTS * (after - more) / total && part < PARTS) {
                LOG.infof("%s: %s, %d %%", model, phase, 100 / PARTS * part);
            }
        }

        @Override
        public void close() {}
    }
}
