package dev.penstock;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Java processes of a test's own, with its class path. */
public final class ChildJvm {
    private ChildJvm() {}

    /** The command that runs the class in a JVM with these flags. */
    public static List<String> command(List<String> flags, Class<?> main, String... args) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))));
        command.addAll(flags);
        command.add(main.getName());
        command.addAll(List.of(args));
        return command;
    }
}
