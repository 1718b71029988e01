package dev.penstock.hardware;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The text files of proc and sysfs below a root, which is {@code /} but in tests. What is not there, can't be read or makes
 * no sense is unknown, never an error: other systems have none of them, and containers hide some.
 */
record LinuxFiles(Path root) {
    /** More than cpuinfo has for a thousand processors. */
    private static final int MAX_BYTES = 8 << 20;

    /** Linux's largest NR_CPUS on any architecture. */
    private static final int MAX_CPUS = 1 << 14;

    /** The whole text without white space around it; the path is absolute, as on the real machine. */
    Optional<String> text(String path) {
        try (InputStream in = Files.newInputStream(root.resolve(path.replaceFirst("^/+", "")))) {
            return Optional.of(new String(in.readNBytes(MAX_BYTES), StandardCharsets.UTF_8).strip());
        } catch (IOException | RuntimeException unknown) {
            return Optional.empty();
        }
    }

    /** The lines of a file, none where it is unknown. */
    List<String> lines(String path) {
        return text(path).map(text -> text.lines().toList()).orElse(List.of());
    }

    /** The number that a line holds after a key, such as {@code MemTotal:}. */
    OptionalLong number(String path, String key) {
        return lines(path).stream()
                .filter(line -> line.startsWith(key))
                .map(line -> line.substring(key.length()).strip().split("\\s", 2)[0])
                .map(LinuxFiles::parse)
                .findFirst()
                .orElse(OptionalLong.empty());
    }

    /** The number that a file consists of. */
    OptionalLong number(String path) {
        return parse(text(path).orElse(""));
    }

    /** A whole number that is not negative: words such as {@code max} and -1 stand for none. */
    static OptionalLong parse(String text) {
        return text.matches("[0-9]{1,18}") ? OptionalLong.of(Long.parseLong(text)) : OptionalLong.empty();
    }

    /** A list of processors or nodes such as {@code 0-3,8}; empty where it is none. */
    static BitSet list(String text) {
        BitSet set = new BitSet();
        for (String range : text.strip().split(",")) {
            String[] ends = range.split("-", 2);
            OptionalLong first = parse(ends[0]);
            OptionalLong last = parse(ends[ends.length - 1]);
            if (first.isEmpty()
                    || last.isEmpty()
                    || last.getAsLong() >= MAX_CPUS
                    || first.getAsLong() > last.getAsLong()) {
                return new BitSet();
            }
            set.set((int) first.getAsLong(), (int) last.getAsLong() + 1);
        }
        return set;
    }
}
