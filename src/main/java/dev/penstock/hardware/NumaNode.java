package dev.penstock.hardware;

import java.util.BitSet;
import java.util.List;

/**
 * A part of the machine whose processors reach its memory faster than that of others.
 *
 * @param index its number
 * @param threads hardware threads of it that this process may run on
 * @param totalBytes its memory, 0 where the system does not tell
 */
public record NumaNode(int index, int threads, long totalBytes) {
    private static final long BYTES_PER_KB = 1024;

    /** All that have processors or memory; none where the system tells of none. */
    static List<NumaNode> read(LinuxFiles files) {
        String nodes = "/sys/devices/system/node/";
        BitSet allowed = Processor.allowed(files);
        return LinuxFiles.list(files.text(nodes + "online").orElse("")).stream()
                .mapToObj(i -> {
                    BitSet threads = LinuxFiles.list(
                            files.text(nodes + "node" + i + "/cpulist").orElse(""));
                    threads.and(allowed);
                    long kb = files.number(nodes + "node" + i + "/meminfo", "Node " + i + " MemTotal:")
                            .orElse(0);
                    return new NumaNode(i, threads.cardinality(), kb * BYTES_PER_KB);
                })
                .toList();
    }
}
