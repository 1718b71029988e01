package dev.penstock.weights;

import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** A bar on the terminal's error stream for each phase. */
public final class TerminalProgress implements BuildProgress {
    private static final int REFRESH_MS = 200;
    private static final long MIB = 1 << 20;

    private final Object lock = new Object();
    private @Nullable ProgressBar bar;

    /** A progress bar where a person looks at a terminal, log lines otherwise. */
    public static BuildProgress orLog() {
        return System.console() != null && System.console().isTerminal() ? new TerminalProgress() : new LogProgress();
    }

    @Override
    public void start(String phase, long bytes) {
        synchronized (lock) {
            close();
            bar = new ProgressBarBuilder()
                    .setTaskName(phase)
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
