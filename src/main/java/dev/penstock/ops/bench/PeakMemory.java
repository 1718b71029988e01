package dev.penstock.ops.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** The most memory that this process has held, as Linux counts it. */
public final class PeakMemory {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path CLEAR_REFS = Path.of("/proc/self/clear_refs");

    private PeakMemory() {}

    /** Bytes since the start or the last {@link #reset}; empty where the system doesn't say. */
    public static OptionalLong bytes() {
        try {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith("VmHWM:")) {
                    return OptionalLong.of(Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024);
                }
            }
        } catch (IOException e) {
            return OptionalLong.empty();
        }
        return OptionalLong.empty();
    }

    /** Starts the count anew, so that building a model does not count as serving it; without effect where it can't. */
    public static void reset() {
        try {
            Files.writeString(CLEAR_REFS, "5"); // proc(5): resets the peak resident set size
        } catch (IOException e) {
            // The peak then counts from the start of the process: higher, never lower.
        }
    }
}
