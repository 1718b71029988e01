package dev.penstock.hardware;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * The memory of this machine, or what control groups allow of it.
 *
 * @param totalBytes all
 * @param limitBytes what control groups allow; empty where that is all of the machine's
 * @param availableBytes what programs can still get, file caches that would give way counted in
 */
public record MachineMemory(long totalBytes, OptionalLong limitBytes, long availableBytes) {
    private static final long BYTES_PER_KB = 1024;

    /** As it is now. */
    public static MachineMemory here() {
        return read(new LinuxFiles(Path.of("/")));
    }

    /** What these files don't tell the JVM has to. */
    static MachineMemory read(LinuxFiles files) {
        OperatingSystemMXBean jvm = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        CgroupLimits limits = CgroupLimits.read(files);
        String meminfo = "/proc/meminfo";
        long machine = files.number(meminfo, "MemTotal:").orElseGet(() -> jvm.getTotalMemorySize() / BYTES_PER_KB)
                * BYTES_PER_KB;
        long total = Math.min(machine, limits.memoryBytes().orElse(machine));
        long free = files.number(meminfo, "MemAvailable:").orElseGet(() -> jvm.getFreeMemorySize() / BYTES_PER_KB)
                * BYTES_PER_KB;
        return new MachineMemory(
                total,
                limits.memoryBytes(),
                Math.min(total, Math.min(free, limits.memoryLeftBytes().orElse(free))));
    }
}
