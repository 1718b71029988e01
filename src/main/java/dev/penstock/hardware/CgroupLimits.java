package dev.penstock.hardware;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * What its control groups allow this process: the least of what its own group and each above it allow, of versions 1 and 2
 * and of both side by side (cgroups(7), and the kernel's cgroup-v1 and cgroup-v2 documents).
 *
 * @param cpus processors' worth of time, which may be a fraction; empty without a quota
 * @param memoryBytes memory; empty without a limit
 * @param memoryLeftBytes what is left of that, file caches that would give way counted in; empty without a limit
 */
public record CgroupLimits(OptionalDouble cpus, OptionalLong memoryBytes, OptionalLong memoryLeftBytes) {
    /** Version 1 has no word for 'no limit' but a number near the largest. */
    private static final long NO_LIMIT = 1L << 60;

    /** Groups are not nested deeper than this. */
    private static final int MAX_DEPTH = 64;

    /** Of the groups that the files below this root name. */
    static CgroupLimits read(LinuxFiles files) {
        List<OptionalDouble> cpus = new ArrayList<>();
        List<OptionalLong> memory = new ArrayList<>();
        List<OptionalLong> left = new ArrayList<>();
        for (String group : groups(files, "")) {
            String[] max = files.text(group + "/cpu.max").orElse("").split("\\s+");
            cpus.add(
                    max.length == 2
                            ? share(LinuxFiles.parse(max[0]), LinuxFiles.parse(max[1]))
                            : OptionalDouble.empty());
            OptionalLong limit = files.number(group + "/memory.max");
            memory.add(limit);
            left.add(left(
                    limit,
                    files.number(group + "/memory.current"),
                    files.number(group + "/memory.stat", "inactive_file ")));
        }
        for (String group : groups(files, "cpu")) {
            cpus.add(share(files.number(group + "/cpu.cfs_quota_us"), files.number(group + "/cpu.cfs_period_us")));
        }
        for (String group : groups(files, "memory")) {
            OptionalLong limit = files.number(group + "/memory.limit_in_bytes");
            limit = limit.orElse(NO_LIMIT) >= NO_LIMIT ? OptionalLong.empty() : limit;
            memory.add(limit);
            left.add(left(
                    limit,
                    files.number(group + "/memory.usage_in_bytes"),
                    files.number(group + "/memory.stat", "total_inactive_file ")));
        }
        return new CgroupLimits(
                cpus.stream().flatMapToDouble(OptionalDouble::stream).min(), least(memory), least(left));
    }

    private static OptionalLong least(List<OptionalLong> all) {
        return all.stream().flatMapToLong(OptionalLong::stream).min();
    }

    private static OptionalDouble share(OptionalLong quota, OptionalLong period) {
        return quota.orElse(0) > 0 && period.orElse(0) > 0
                ? OptionalDouble.of((double) quota.getAsLong() / period.getAsLong())
                : OptionalDouble.empty();
    }

    private static OptionalLong left(OptionalLong limit, OptionalLong used, OptionalLong cache) {
        return limit.isPresent() && used.isPresent()
                ? OptionalLong.of(
                        Math.clamp(limit.getAsLong() - used.getAsLong() + cache.orElse(0), 0, limit.getAsLong()))
                : OptionalLong.empty();
    }

    /** Folders of the process's group and of those above it; the controller is the empty text for version 2. */
    private static List<String> groups(LinuxFiles files, String controller) {
        return mount(files, controller)
                .flatMap(mount -> upwards(mount, path(files, controller).orElse("/")))
                .toList();
    }

    /** A mount of a hierarchy: where, and which of its groups is there. */
    private record Mount(String point, String group) {}

    /** By proc(5): id, parent, device, root, mount point, options, fields up to a dash, type, source, options. */
    private static Stream<Mount> mount(LinuxFiles files, String controller) {
        return files.lines("/proc/self/mountinfo").stream()
                .map(line -> line.split(" "))
                .filter(fields -> {
                    int dash = List.of(fields).indexOf("-");
                    return dash >= 5
                            && fields.length > dash + 3
                            && (controller.isEmpty()
                                    ? fields[dash + 1].equals("cgroup2")
                                    : fields[dash + 1].equals("cgroup")
                                            && List.of(fields[dash + 3].split(","))
                                                    .contains(controller));
                })
                .map(fields -> new Mount(fields[4].replace("\\040", " "), fields[3].replace("\\040", " ")))
                .limit(1);
    }

    private static Optional<String> path(LinuxFiles files, String controller) {
        return files.lines("/proc/self/cgroup").stream()
                .map(line -> line.split(":", 3))
                .filter(fields -> fields.length == 3
                        && (controller.isEmpty()
                                ? fields[1].isEmpty()
                                : List.of(fields[1].split(",")).contains(controller)))
                .map(fields -> fields[2])
                .findFirst();
    }

    /** The group's folder and those above it, up to the mount; the mount alone where the group is not below it. */
    private static Stream<String> upwards(Mount mount, String path) {
        Path top = Path.of(mount.group);
        Path group = Path.of(path).normalize();
        List<String> folders = new ArrayList<>();
        if (group.startsWith(top)) {
            for (Path p = group; p != null && !p.equals(top) && folders.size() < MAX_DEPTH; p = p.getParent()) {
                folders.add(mount.point + "/" + top.relativize(p));
            }
        }
        folders.add(mount.point);
        return folders.stream();
    }
}
