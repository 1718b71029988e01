package dev.penstock.ops;

import dev.penstock.onnx.attention.AttentionWarmUp;
import io.quarkus.arc.Arc;
import io.quarkus.arc.ArcContainer;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusBindException;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigValidationException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Serves models until it is told to stop. What the command line says goes before the configuration file. */
@Command(
        name = "serve",
        description = "Serves models over HTTP; without --model or a configuration the embedded one, penstock-tiny.",
        mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--port", paramLabel = "N", description = "Port to listen on (default: 8080).")
    private @Nullable Integer port;

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            description = "Address to listen on (default: 127.0.0.1, so only this machine; 0.0.0.0 for all).")
    private @Nullable String host;

    @Option(names = "--config", paramLabel = "FILE", description = "Configuration in YAML; see docs/configuration.md.")
    private @Nullable Path config;

    @Option(
            names = "--model",
            paramLabel = "NAME=FOLDER[,precision=P][,rounding=R][,kv=K][,threads=N][,context=N][,task=T][,pooling=P]",
            description =
                    "A Hugging Face folder to serve under a name; task is generate, embed or rerank, precision is fp32, int8, int4 or mixed, rounding of "
                            + "4-bit codes search or nearest, the KV cache's type fp32, fp16 or int8. Repeatable; takes the place of the configuration's models.",
            converter = ModelSpec.Converter.class)
    private List<ModelSpec> models = List.of();

    @Override
    public Integer call() {
        if (port != null) {
            if (port < 0 || port > 65535) {
                throw new ParameterException(spec.commandLine(), "--port must be from 0 to 65535, not " + port + ".");
            }
            System.setProperty("quarkus.http.port", port.toString());
        }
        if (host != null) {
            System.setProperty("quarkus.http.host", host);
        }
        if (config != null) {
            Path file = config.toAbsolutePath();
            ConfigFile.read(file);
            System.setProperty(ConfigFile.PROPERTY, file.toString());
        }
        Set<String> names = new HashSet<>();
        for (ModelSpec model : models) {
            if (!names.add(model.name())) {
                throw new ParameterException(
                        spec.commandLine(),
                        "Two models are called " + model.name() + "; each --model needs a name of its own.");
            }
            model.properties().forEach(System::setProperty);
        }
        // Beside the start of the container, which keeps one core busy.
        NativeLibraries.load();
        AttentionWarmUp.start();
        StopSignals.handle(ServeCommand::drain);
        Quarkus.run(null, this::exit);
        return 0;
    }

    /** Called when the server can't start, and when it has ended. */
    private void exit(int code, @Nullable Throwable failure) {
        if (failure != null) {
            spec.commandLine().getErr().println(describe(failure));
        }
        System.exit(failure == null ? code : 1);
    }

    private static void drain() {
        ArcContainer container = Arc.container();
        if (container != null && container.isRunning()) {
            container.instance(Lifecycle.class).get().drain();
        }
    }

    private static String describe(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null && !isKnown(root)) {
            root = root.getCause();
        }
        return switch (root) {
            case QuarkusBindException bind ->
                "Port " + bind.getPort() + " of " + bind.getHost()
                        + " can't be listened on: is another server running there? --port names another.";
            case ConfigurationException e -> String.valueOf(e.getMessage());
            case ConfigValidationException e -> String.valueOf(e.getMessage());
            default -> Penstock.describe(root);
        };
    }

    private static boolean isKnown(Throwable e) {
        return e instanceof QuarkusBindException
                || e instanceof ConfigurationException
                || e instanceof ConfigValidationException
                || e instanceof StartException;
    }
}
