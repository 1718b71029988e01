package dev.penstock.ops;

import io.quarkus.runtime.annotations.QuarkusMain;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line. Only {@code serve} starts the container: the other commands would wait seconds for it. */
@QuarkusMain
@Command(
        name = "penstock",
        description = "Serves open-weight language models behind an OpenAI-compatible API.",
        mixinStandardHelpOptions = true,
        versionProvider = Penstock.Version.class,
        subcommands = {
            ServeCommand.class,
            BenchCommand.class,
            BuildCommand.class,
            HardwareCommand.class,
            PlanCommand.class,
            QualityCommand.class,
            SimulateCommand.class,
            WarmUpCommand.class
        })
public final class Penstock implements Runnable {
    @Spec
    private CommandSpec spec;

    /** Runs a command and ends the process with its exit code: 0, 1 for a failure, 2 for wrong arguments. */
    public static void main(String... args) {
        // Quarkus logs through it, and it must be named before the first logger is made.
        System.setProperty("java.util.logging.manager", "org.jboss.logmanager.LogManager");
        int exitCode = new CommandLine(new Penstock())
                .setExecutionExceptionHandler((e, command, parsed) -> {
                    command.getErr().println(command.getColorScheme().errorText(describe(e)));
                    return command.getCommandSpec().exitCodeOnExecutionException();
                })
                .execute(args);
        System.exit(exitCode);
    }

    /** Without a command there is nothing to do but to say which there are. */
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Which command?");
    }

    /** The version that was built. */
    static String version() {
        String version = Penstock.class.getPackage().getImplementationVersion();
        return version == null ? "(unpackaged)" : version;
    }

    /** What went wrong, in one line. */
    static String describe(Throwable e) {
        String message = e.getMessage();
        return e instanceof StartException && message != null ? message : e.toString();
    }

    /** For picocli. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"penstock " + version()};
        }
    }
}
