package dev.penstock.ops;

import dev.penstock.model.Device;
import dev.penstock.model.Precision;
import dev.penstock.ops.bench.PeakMemory;
import dev.penstock.weights.BuildOptions;
import dev.penstock.weights.BuildProgress;
import dev.penstock.weights.EncoderCheckpoint;
import dev.penstock.weights.EncoderFolder;
import dev.penstock.weights.HuggingFaceFolder;
import dev.penstock.weights.ModelFolder;
import dev.penstock.weights.ModelFolderException;
import dev.penstock.weights.ModelSource;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.ModelStoreException;
import dev.penstock.weights.RandomModel;
import dev.penstock.weights.Rounding;
import dev.penstock.weights.TerminalProgress;
import dev.penstock.weights.Variant;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code penstock build}: builds variants ahead of time, so that {@code serve} finds them. */
@Command(
        name = "build",
        mixinStandardHelpOptions = true,
        description = "Builds models into the store ahead of time; serve then finds them there.")
public final class BuildCommand implements Callable<Integer> {
    private static final int SEED = 1;

    @ArgGroup(multiplicity = "1")
    private @Nullable Subject subject;

    @Spec
    private @Nullable CommandSpec spec;

    /** What is built. */
    static final class Subject {
        @Option(
                names = "--model",
                required = true,
                paramLabel = "NAME=FOLDER[,device=D][,precision=P][,rounding=R]",
                description = "As for serve. Repeatable.",
                converter = ModelSpec.Converter.class)
        private List<ModelSpec> models = List.of();

        @ArgGroup(exclusive = false)
        private @Nullable Shape shape;
    }

    /** Random weights, to see how long a build takes and what it needs. */
    static final class Shape {
        @Option(names = "--shape", required = true, description = "Random weights of a known shape, see bench")
        private String name = "";

        @Option(names = "--device", defaultValue = "cpu", description = "For cpu or cuda:N; default: ${DEFAULT-VALUE}")
        private String device = "cpu";

        @Option(names = "--precision", description = "Its precision; default: int4, fp16 for a GPU")
        private @Nullable String precision;

        @Option(names = "--rounding", defaultValue = "search", description = "Its rounding; default: ${DEFAULT-VALUE}")
        private String rounding = "search";
    }

    /** Builds and says what came of it; 0, or 1 where a model can't be built. */
    @Override
    public Integer call() throws IOException {
        if (subject == null) {
            throw new IllegalStateException("picocli sets one of --model and --shape");
        }
        try {
            if (subject.shape != null) {
                Shape shape = subject.shape;
                String name = shape.name.toLowerCase(Locale.ROOT);
                Device device = device(shape.device);
                ModelSource source = shape(name);
                Precision precision = source.precision(precision(shape.precision), device);
                build(name, source, device, precision, rounding(shape.rounding));
            }
            for (ModelSpec model : subject.models) {
                build(model);
            }
            return 0;
        } catch (ModelFolderException | ModelStoreException | IllegalArgumentException | StartException e) {
            commandSpec().commandLine().getErr().println(e.getMessage());
            return 1;
        }
    }

    private void build(ModelSpec model) throws IOException {
        Optional<EncoderFolder> encoder = EncoderSettings.find(
                "The model " + model.name(),
                model.folder(),
                Optional.ofNullable(model.settings().get("task")));
        Device device = device(model.settings().getOrDefault("device", "cpu"));
        Optional<Precision> asked = precision(model.settings().get("precision"));
        Rounding rounding = rounding(model.settings().getOrDefault("rounding", "search"));
        if (encoder.isEmpty()) {
            ModelFolder folder = ModelFolder.open(Path.of(model.folder()));
            build(model.name(), folder, device, folder.precision(asked, device), rounding);
            return;
        }
        Precision precision = encoder.get().weights().precision(asked);
        switch (encoder.get().weights()) {
            case EncoderFolder.Graphs graphs -> {
                PrintWriter out = commandSpec().commandLine().getOut();
                out.println(model.name() + ": runs on " + graphs.file(precision) + " as it is");
                out.flush();
            }
            case EncoderFolder.Decoder(HuggingFaceFolder decoder) ->
                build(model.name(), decoder, Device.CPU, precision, rounding);
            case EncoderCheckpoint checkpoint ->
                build(
                        model.name(),
                        precision,
                        (store, progress) -> store.build(checkpoint, precision, BuildOptions.defaults(), progress));
        }
    }

    private void build(String name, ModelSource source, Device device, Precision precision, Rounding rounding)
            throws IOException {
        build(
                name,
                precision,
                (store, progress) ->
                        store.build(source, precision, BuildOptions.on(device).withRounding(rounding), progress));
    }

    private void build(String name, Precision precision, BiFunction<ModelStore, BuildProgress, Variant> build)
            throws IOException {
        PeakMemory.reset();
        Instant start = Instant.now();
        long startNs = System.nanoTime();
        Variant variant;
        try (BuildProgress progress = TerminalProgress.orLog(name)) {
            variant = build.apply(ModelStore.ofUser(), progress);
        }
        double seconds = (System.nanoTime() - startNs) / 1e9;
        long bytes = variant.weightBytes();
        boolean found =
                Files.getLastModifiedTime(variant.metadata()).toInstant().isBefore(start);
        PrintWriter out = commandSpec().commandLine().getOut();
        out.printf(Locale.ROOT, "%s %s: %.2f GB in %s", name, precision.label(), bytes / 1e9, variant.folder());
        if (found) {
            out.println(", there already");
        } else {
            out.printf(Locale.ROOT, ", built in %.1f s (%.0f MB/s)", seconds, bytes / 1e6 / seconds);
            PeakMemory.bytes().ifPresent(peak -> out.printf(", peak memory %d MiB", peak >> 20));
            out.println();
        }
        out.flush();
    }

    private ModelSource shape(String name) {
        return RandomModel.ofName(name, SEED)
                .orElseThrow(() ->
                        wrong("--shape knows %s, not %s".formatted(String.join(", ", RandomModel.names()), name)));
    }

    private Device device(String label) {
        return Device.ofLabel(label)
                .orElseThrow(() -> wrong("--device is one of " + Device.labels() + ", not " + label));
    }

    private Optional<Precision> precision(@Nullable String label) {
        return Optional.ofNullable(label)
                .map(l -> Precision.ofLabel(l)
                        .orElseThrow(() -> wrong("--precision is one of " + Precision.labels() + ", not " + l)));
    }

    private Rounding rounding(String label) {
        return Rounding.ofLabel(label).orElseThrow(() -> wrong("--rounding is nearest or search, not " + label));
    }

    private ParameterException wrong(String message) {
        return new ParameterException(commandSpec().commandLine(), message);
    }

    private CommandSpec commandSpec() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the command's spec");
        }
        return spec;
    }
}
