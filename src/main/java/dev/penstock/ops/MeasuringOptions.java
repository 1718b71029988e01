package dev.penstock.ops;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.penstock.hardware.Processor;
import java.io.IOException;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What commands that measure have in common: threads, the form of their report, and complaints. */
final class MeasuringOptions {
    @Option(names = "--threads", description = "Threads; default: this machine's physical cores, or its CPU quota")
    private int threads = Processor.defaultThreads();

    @Option(names = "--json", description = "Prints JSON in place of a table")
    private boolean json;

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec spec;

    /** Threads of a step, 1 to 1024. */
    int threads() {
        check("--threads", threads, 1, 1024);
        return threads;
    }

    /** Complains about a number that is out of range. */
    void check(String option, int value, int least, int most) {
        if (value < least || value > most) {
            throw wrong("%s must be %d to %d, not %d".formatted(option, least, most, value));
        }
    }

    /** A complaint about an option, to be thrown. */
    ParameterException wrong(String message) {
        return new ParameterException(commandLine(), message);
    }

    /** Prints a report: its table, or itself as JSON. */
    void print(Object report, String table) throws IOException {
        PrintWriter out = commandLine().getOut();
        if (json) {
            out.println(new ObjectMapper()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .writeValueAsString(report));
        } else {
            out.print(table);
        }
        out.flush();
    }

    /** Prints why a command can't go on; returns its exit status. */
    int failure(Exception cause) {
        commandLine().getErr().println(cause.getMessage());
        return 1;
    }

    private CommandLine commandLine() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the command's spec");
        }
        return spec.commandLine();
    }
}
