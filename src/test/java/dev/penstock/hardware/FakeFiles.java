package dev.penstock.hardware;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A folder that stands for the root of a machine. */
record FakeFiles(Path root) {
    private static final String V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";

    FakeFiles write(String path, String text) {
        try {
            Path file = root.resolve(path.substring(1));
            Files.createDirectories(file.getParent());
            Files.writeString(file, text + "\n");
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    FakeFiles allow(String cpus) {
        return write("/proc/self/status", "Name:\tjava\nCpus_allowed:\tff\nCpus_allowed_list:\t" + cpus);
    }

    FakeFiles siblings(int cpu, String list) {
        return write("/sys/devices/system/cpu/cpu" + cpu + "/topology/thread_siblings_list", list);
    }

    /** A process in this group of version 2. */
    FakeFiles v2(String group) {
        return write("/proc/self/mountinfo", V2).write("/proc/self/cgroup", "0::" + group);
    }

    /** A process in this group of each of version 1's controllers, mounted from this group on. */
    FakeFiles v1(String mounted, String group) {
        String mount = "%d 31 0:29 %s /sys/fs/cgroup/%s rw,relatime - cgroup cgroup rw,%s";
        return write(
                        "/proc/self/mountinfo",
                        String.join(
                                "\n",
                                mount.formatted(32, mounted, "cpu,cpuacct", "cpu,cpuacct"),
                                mount.formatted(33, mounted, "memory", "memory")))
                .write("/proc/self/cgroup", String.join("\n", List.of("5:cpu,cpuacct:" + group, "4:memory:" + group)));
    }

    LinuxFiles files() {
        return new LinuxFiles(root);
    }
}
