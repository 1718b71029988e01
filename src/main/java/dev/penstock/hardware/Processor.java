package dev.penstock.hardware;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The processor, as far as this process may use it.
 *
 * @param name what it is called; empty where the system does not tell
 * @param threads hardware threads that the process may run on (its cpuset)
 * @param cores physical cores among these; empty where the system does not tell
 * @param quota processors' worth of time that its control groups allow; empty without one
 * @param vectorFeatures what matters for arithmetic of what processor and operating system together allow, in Linux's words
 */
public record Processor(
        Optional<String> name, int threads, OptionalInt cores, OptionalDouble quota, List<String> vectorFeatures) {
    private static final List<String> VECTOR_FEATURES = List.of(
            "sse4_2",
            "avx",
            "f16c",
            "fma",
            "avx2",
            "avx_vnni",
            "avx512f",
            "avx512bw",
            "avx512vl",
            "avx512_vnni",
            "avx512_bf16",
            "avx512_fp16",
            "amx_tile",
            "amx_int8",
            "amx_bf16",
            "asimd",
            "asimdhp",
            "asimddp",
            "i8mm",
            "bf16",
            "sve",
            "sve2");

    /** This machine's. */
    public static Processor here() {
        return read(new LinuxFiles(Path.of("/")));
    }

    static Processor read(LinuxFiles files) {
        BitSet allowed = allowed(files);
        return new Processor(
                cpuinfo(files, "model name"),
                allowed.isEmpty() ? Runtime.getRuntime().availableProcessors() : allowed.cardinality(),
                cores(files, allowed),
                CgroupLimits.read(files).cpus(),
                vectorFeatures(files));
    }

    /**
     * Threads for dense arithmetic: the physical cores that this process may run on, or its whole CPU quota where that is
     * less; at least one. Two hardware threads of one core share its multipliers, so that a second one on a core only costs,
     * and who spins beyond a quota is stopped.
     */
    public int computeThreads() {
        int most = (int) Math.min(Integer.MAX_VALUE, quota.orElse(threads));
        return Math.max(1, Math.min(most, cores.orElse(threads)));
    }

    /** {@link #computeThreads} of this machine, and no more than the JVM was told to use. */
    public static int defaultThreads() {
        return Math.min(here().computeThreads(), Runtime.getRuntime().availableProcessors());
    }

    static BitSet allowed(LinuxFiles files) {
        String key = "Cpus_allowed_list:";
        return files.lines("/proc/self/status").stream()
                .filter(line -> line.startsWith(key))
                .map(line -> LinuxFiles.list(line.substring(key.length())))
                .findFirst()
                .orElseGet(BitSet::new);
    }

    private static OptionalInt cores(LinuxFiles files, BitSet allowed) {
        Set<String> cores = new HashSet<>();
        for (int cpu = allowed.nextSetBit(0); cpu >= 0; cpu = allowed.nextSetBit(cpu + 1)) {
            Optional<String> siblings =
                    files.text("/sys/devices/system/cpu/cpu" + cpu + "/topology/thread_siblings_list");
            if (siblings.isEmpty()) {
                return OptionalInt.empty();
            }
            cores.add(siblings.get());
        }
        return cores.isEmpty() ? OptionalInt.empty() : OptionalInt.of(cores.size());
    }

    private static List<String> vectorFeatures(LinuxFiles files) {
        Set<String> flags = cpuinfo(files, "flags")
                .or(() -> cpuinfo(files, "Features"))
                .map(text -> Arrays.stream(text.split(" ")).collect(Collectors.toSet()))
                .orElse(Set.of());
        return VECTOR_FEATURES.stream().filter(flags::contains).toList();
    }

    /** The value of the first line with this key. */
    private static Optional<String> cpuinfo(LinuxFiles files, String key) {
        return files.lines("/proc/cpuinfo").stream()
                .map(line -> line.split(":", 2))
                .filter(pair -> pair.length == 2 && pair[0].strip().equals(key))
                .map(pair -> pair[1].strip())
                .filter(value -> !value.isEmpty())
                .findFirst();
    }
}
