package dev.penstock.weights;

import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** A bar on the terminal's error stream for each phase that takes long enough for one. */
public final class TerminalProgress implements BuildProgress {
    private static final int REFRESH_MS = 200;
    private static final long MIB = 1 << 20;

    private final Object lock = new Object();
    private final String model;
    private @Nullable ProgressBar bar;

    /** For the build of the model of that name. */
    TerminalProgress(String model) {
        this.model = model;
    }

    /** A progress bar where a person looks at a terminal, log lines otherwise; they name the model. */
    public static BuildProgress orLog(String model) {
        return System.console() != null && System.console().isTerminal()
                ? new TerminalProgress(model)
                : new LogProgress(model);
    }

    @Override
    public void start(String phase, long bytes) {
        synchronized (lock) {
            close();
            if (!LogProgress.isLong(bytes)) {
                return;
            }
            bar = new ProgressBarBuilder()
                    .setTaskName(model + ": " + phase)
                    .setInitialMax(bytes)
                    .setUnit(" MiB", MIB)
                    .setStyle(ProgressBarStyle.ASCII)
                    .setUpdateIntervalMillis(REFRESH_MS)
                    .build();
        }
    }

    @Override
    public void advance(long bytes) {
        synchronized (lock) {
            if (bar != null) {
                bar.stepBy(bytes);
            }
        }
    }

    @Override
    public void close() {
        synchronized (lock) {
            if (bar != null) {
                bar.close();
                bar = null;
            }
        }
    }
}
