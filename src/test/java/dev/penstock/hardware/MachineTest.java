package dev.penstock.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MachineTest {
    private static final long KB = 1024;

    @TempDir
    Path root;

    private FakeFiles fake;

    @BeforeEach
    void fake() {
        fake = new FakeFiles(root);
    }

    private Machine read() {
        return Machine.read(root, List.of());
    }

    private static void fourThreadsOnTwoCores(FakeFiles fake) {
        fake.allow("0-3")
                .siblings(0, "0,2")
                .siblings(1, "1,3")
                .siblings(2, "0,2")
                .siblings(3, "1,3");
    }

    @Test
    void hardwareThreadsOfOneCoreCountOnce() {
        fourThreadsOnTwoCores(fake);

        assertThat(read().processor().threads()).isEqualTo(4);
        assertThat(read().processor().cores()).hasValue(2);
        assertThat(read().processor().computeThreads()).isEqualTo(2);
    }

    @Test
    void coresThatTheProcessMayNotUseDoNotCount() {
        fourThreadsOnTwoCores(fake);
        fake.allow("1,3");

        assertThat(read().processor().threads()).isEqualTo(2);
        assertThat(read().processor().cores()).hasValue(1);
    }

    @Test
    void coresOfTwoKindsCountAlike() {
        fake.allow("0-3").siblings(0, "0-1").siblings(1, "0-1").siblings(2, "2").siblings(3, "3");

        assertThat(read().processor().cores()).hasValue(3);
    }

    @ParameterizedTest
    @CsvSource({"40000 100000, 1", "150000 100000, 1", "290000 100000, 2", "900000 100000, 2", "max 100000, 2"})
    void aQuotaOfLessThanTheCoresAllowsItsWholePart(String quota, int threads) {
        fourThreadsOnTwoCores(fake);
        fake.v2("/").write("/sys/fs/cgroup/cpu.max", quota);

        assertThat(read().processor().computeThreads()).isEqualTo(threads);
    }

    @Test
    void withoutTopologyEveryProcessorCounts() {
        fake.allow("0-6");

        assertThat(read().processor().cores()).isEmpty();
        assertThat(read().processor().computeThreads()).isEqualTo(7);
    }

    @Test
    void theProcessorIsToldByItsNameAndVectors() {
        fake.write("/proc/cpuinfo", """
                processor\t: 0
                model name\t: Fast One @ 3 GHz
                flags\t\t: fpu sse4_2 avx512f avx avx2 avx512_vnni
                model name\t: Slow One
                """);

        assertThat(read().processor().name()).hasValue("Fast One @ 3 GHz");
        assertThat(read().processor().vectorFeatures())
                .containsExactly("sse4_2", "avx", "avx2", "avx512f", "avx512_vnni");

        fake.write("/proc/cpuinfo", "processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\n");
        assertThat(read().processor().name()).isEmpty();
        assertThat(read().processor().vectorFeatures()).containsExactly("asimd", "asimddp", "i8mm");
    }

    @Test
    void memoryIsWhatLinuxSaysOrTheLimitWhereThatIsLess() {
        fake.write("/proc/meminfo", "MemTotal:       20000 kB\nMemFree: 1 kB\nMemAvailable:   15000 kB");
        assertThat(read().memory().totalBytes()).isEqualTo(20_000 * KB);
        assertThat(read().memory().limitBytes()).isEmpty();
        assertThat(read().memory().availableBytes()).isEqualTo(15_000 * KB);

        fake.v2("/").write("/sys/fs/cgroup/memory.max", Long.toString(9000 * KB));
        assertThat(read().memory().totalBytes()).isEqualTo(9000 * KB);
        assertThat(read().memory().limitBytes()).hasValue(9000 * KB);
        assertThat(read().memory().availableBytes()).isEqualTo(9000 * KB);

        fake.write("/sys/fs/cgroup/memory.current", Long.toString(4000 * KB));
        assertThat(read().memory().availableBytes()).isEqualTo(5000 * KB);
    }

    @Test
    void numaNodesTellTheirMemoryAndTheThreadsThatMayBeUsed() {
        fake.allow("0-5")
                .write("/sys/devices/system/node/online", "0-1")
                .write("/sys/devices/system/node/node0/cpulist", "0-3")
                .write("/sys/devices/system/node/node0/meminfo", "Node 0 MemTotal:  1000 kB\nNode 0 MemFree: 1 kB")
                .write("/sys/devices/system/node/node1/cpulist", "4-7");

        assertThat(read().numaNodes()).containsExactly(new NumaNode(0, 4, 1000 * KB), new NumaNode(1, 2, 0));
    }

    @Test
    void whereLinuxTellsNothingTheJvmDoes() {
        Machine machine = read();

        assertThat(machine.processor().threads()).isEqualTo(Runtime.getRuntime().availableProcessors());
        assertThat(machine.processor().cores()).isEqualTo(OptionalInt.empty());
        assertThat(machine.processor().quota()).isEqualTo(OptionalDouble.empty());
        assertThat(machine.processor().vectorFeatures()).isEmpty();
        assertThat(machine.numaNodes()).isEmpty();
        assertThat(machine.memory().totalBytes()).isPositive();
        assertThat(machine.memory().availableBytes())
                .isBetween(1L, machine.memory().totalBytes());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\0", "3-1", "0-99999999", "a-b", "-", "1,,2", ": : :", "Cpus_allowed_list:\tmany"})
    void whatMakesNoSenseIsUnknown(String garbage) throws Exception {
        fake.allow(garbage)
                .siblings(0, garbage)
                .write("/proc/cpuinfo", garbage)
                .write("/proc/meminfo", "MemTotal: much\nMemAvailable:\n" + garbage)
                .write("/sys/devices/system/node/online", garbage);
        Files.write(root.resolve("proc/cpuinfo"), "model name\t: \nflags\nflags :\n".getBytes(StandardCharsets.UTF_8));

        Machine machine = read();

        assertThat(machine.processor().threads()).isEqualTo(Runtime.getRuntime().availableProcessors());
        assertThat(machine.processor().name()).isEmpty();
        assertThat(machine.numaNodes()).isEmpty();
        assertThat(machine.memory().totalBytes()).isPositive();
    }

    @Test
    void equalMachinesHaveOneFingerprintAndOthersAnother() {
        fourThreadsOnTwoCores(fake);
        String one = read().fingerprint();

        assertThat(read().fingerprint()).isEqualTo(one);
        fake.v2("/").write("/sys/fs/cgroup/cpu.max", "100000 100000");
        assertThat(read().fingerprint()).isNotEqualTo(one);
    }

    @Test
    void thisMachineHasThreadsAndMemory() {
        Machine here = Machine.here();

        assertThat(Processor.defaultThreads()).isBetween(1, Runtime.getRuntime().availableProcessors());
        assertThat(here.memory().availableBytes()).isBetween(1L, here.memory().totalBytes());
    }
}
