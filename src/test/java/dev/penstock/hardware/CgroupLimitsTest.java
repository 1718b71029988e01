package dev.penstock.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CgroupLimitsTest {
    private static final CgroupLimits NONE =
            new CgroupLimits(OptionalDouble.empty(), OptionalLong.empty(), OptionalLong.empty());

    @TempDir
    Path root;

    private FakeFiles fake;

    @BeforeEach
    void fake() {
        fake = new FakeFiles(root);
    }

    private CgroupLimits read() {
        return CgroupLimits.read(fake.files());
    }

    @Test
    void theLeastLimitUpTheTreeHoldsInVersion2() {
        fake.v2("/a/b/c")
                .write("/sys/fs/cgroup/a/cpu.max", "150000 100000")
                .write("/sys/fs/cgroup/a/b/cpu.max", "400000 100000")
                .write("/sys/fs/cgroup/a/b/c/cpu.max", "max 100000")
                .write("/sys/fs/cgroup/a/memory.max", "8000")
                .write("/sys/fs/cgroup/a/memory.current", "7000")
                .write("/sys/fs/cgroup/a/memory.stat", "anon 5000\ninactive_file 600\nactive_file 1")
                .write("/sys/fs/cgroup/a/b/memory.max", "max")
                .write("/sys/fs/cgroup/a/b/c/memory.max", "5000")
                .write("/sys/fs/cgroup/a/b/c/memory.current", "1000");

        assertThat(read())
                .isEqualTo(new CgroupLimits(OptionalDouble.of(1.5), OptionalLong.of(5000), OptionalLong.of(1600)));
    }

    @Test
    void theLeastLimitUpTheTreeHoldsInVersion1() {
        fake.v1("/", "/a/b")
                .write("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "250000")
                .write("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000")
                .write("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1")
                .write("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000")
                .write("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9000")
                .write("/sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "4000")
                .write("/sys/fs/cgroup/memory/a/b/memory.stat", "inactive_file 1\ntotal_inactive_file 500")
                .write("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712");

        assertThat(read())
                .isEqualTo(new CgroupLimits(OptionalDouble.of(2.5), OptionalLong.of(9000), OptionalLong.of(5500)));
    }

    @Test
    void aContainerSeesItsOwnGroupWhereTheHierarchyIsMounted() {
        fake.v1("/docker/1", "/docker/1")
                .write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "7000")
                .write("/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes", "1");

        assertThat(read().memoryBytes()).hasValue(7000);
    }

    @Test
    void aGroupOutsideOfWhatIsMountedLeavesTheMount() {
        fake.v2("/../../elsewhere")
                .write("/sys/fs/cgroup/cpu.max", "300000 100000")
                .write("/sys/fs/cgroup/elsewhere/memory.max", "max");

        assertThat(read().cpus()).hasValue(3);
    }

    @Test
    void withBothVersionsEachControllerCountsWhereItIs() {
        fake.write("/proc/self/mountinfo", """
                        34 31 0:31 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
                        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
                        """)
                .write("/proc/self/cgroup", "4:memory:/job\n1:name=systemd:/\n0::/job")
                .write("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "600")
                .write("/sys/fs/cgroup/unified/job/cpu.max", "50000 100000");

        assertThat(read())
                .isEqualTo(new CgroupLimits(OptionalDouble.of(0.5), OptionalLong.of(600), OptionalLong.empty()));
    }

    @Test
    void whatIsNotThereLimitsNothing() {
        assertThat(read()).isEqualTo(NONE);
        fake.v2("/a");
        assertThat(read()).isEqualTo(NONE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "max", "-1 100000", "100000 0", "a b c", "99999999999999999999 1", "\0\0 1"})
    void whatMakesNoSenseLimitsNothing(String garbage) {
        fake.v2("/a").write("/sys/fs/cgroup/a/cpu.max", garbage).write("/sys/fs/cgroup/a/memory.max", garbage);
        assertThat(read()).isEqualTo(NONE);

        fake.write("/proc/self/mountinfo", garbage).write("/proc/self/cgroup", garbage);
        assertThat(read()).isEqualTo(NONE);
        fake.write("/proc/self/mountinfo", "30 23 0:26 / - cgroup2").write("/proc/self/cgroup", "0::\0");
        assertThat(read()).isEqualTo(NONE);
    }
}
