package dev.penstock.hardware;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much memory this machine or container has. */
public final class MachineMemory {
    private static final Path MEMINFO = Path.of("/proc/meminfo");
    private static final String AVAILABLE = "MemAvailable:";

    private MachineMemory() {}

    /** Bytes of the machine, or of the container. */
    public static long totalBytes() {
        return bean().getTotalMemorySize();
    }

    /** Bytes that programs can still get, file caches that would give way counted in; no more than {@link #totalBytes}. */
    public static long availableBytes() {
        return Math.min(totalBytes(), available(MEMINFO, bean().getFreeMemorySize()));
    }

    /**
     * What a file such as Linux's meminfo says.
     *
     * @param otherwise the answer where it says nothing, as on other systems
     */
    static long available(Path meminfo, long otherwise) {
        try {
            for (String line : Files.readAllLines(meminfo)) {
                if (line.startsWith(AVAILABLE)) {
                    return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
                }
            }
            return otherwise;
        } catch (IOException | NumberFormatException unknown) {
            return otherwise;
        }
    }

    private static OperatingSystemMXBean bean() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    }
}
