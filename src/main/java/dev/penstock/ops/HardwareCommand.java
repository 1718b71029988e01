package dev.penstock.ops;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code penstock hardware}: what this machine has, and what it was measured to do. */
@Command(
        name = "hardware",
        mixinStandardHelpOptions = true,
        description = "Says what this machine has, and how fast it reads memory and computes.")
final class HardwareCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--json", description = "Prints JSON in place of a table")
    private boolean json;

    @Option(names = "--measure", description = "Measures again, though it was measured before")
    private boolean measure;

    @Override
    public Integer call() {
        HardwareReport report = measure ? HardwareReport.measured() : HardwareReport.complete();
        PrintWriter out = spec.commandLine().getOut();
        out.print(json ? report.json() : report.table());
        out.flush();
        return 0;
    }
}
