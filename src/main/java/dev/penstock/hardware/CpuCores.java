package dev.penstock.hardware;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;

/** How many cores this process may compute on. */
public final class CpuCores {
    private CpuCores() {}

    /**
     * Threads for dense arithmetic: the physical cores that this process may run on, or its CPU quota (cgroup) where that
     * is less. Two hardware threads of one core share its multipliers, so that a second thread on a core only costs.
     */
    public static int defaultThreads() {
        int usable = Runtime.getRuntime().availableProcessors();
        return Math.max(1, Math.min(usable, physical(Path.of("/proc"), Path.of("/sys"), usable)));
    }

    /**
     * Physical cores among the processors that the process may run on.
     *
     * @param proc where Linux mounts proc
     * @param sys where Linux mounts sysfs
     * @param otherwise the answer where these say nothing, as on other systems
     */
    static int physical(Path proc, Path sys, int otherwise) {
        try {
            BitSet allowed = allowed(proc);
            Set<String> cores = new HashSet<>();
            for (int cpu = allowed.nextSetBit(0); cpu >= 0; cpu = allowed.nextSetBit(cpu + 1)) {
                cores.add(
                        Files.readString(sys.resolve("devices/system/cpu/cpu" + cpu + "/topology/thread_siblings_list"))
                                .strip());
            }
            return cores.isEmpty() ? otherwise : cores.size();
        } catch (IOException | NumberFormatException unknown) {
            return otherwise;
        }
    }

    private static BitSet allowed(Path proc) throws IOException {
        String key = "Cpus_allowed_list:";
        BitSet allowed = new BitSet();
        for (String line : Files.readAllLines(proc.resolve("self/status"))) {
            if (line.startsWith(key)) {
                for (String range : line.substring(key.length()).strip().split(",")) {
                    int dash = range.indexOf('-');
                    int first = Integer.parseInt(dash < 0 ? range : range.substring(0, dash));
                    int last = dash < 0 ? first : Integer.parseInt(range.substring(dash + 1));
                    allowed.set(first, last + 1);
                }
            }
        }
        return allowed;
    }
}
