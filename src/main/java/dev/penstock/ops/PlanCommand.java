package dev.penstock.ops;

import dev.penstock.engine.StepException;
import dev.penstock.onnx.OnnxException;
import dev.penstock.ops.plan.PlanReport;
import dev.penstock.ops.plan.Planner;
import dev.penstock.weights.ModelFolder;
import dev.penstock.weights.ModelFolderException;
import dev.penstock.weights.ModelSource;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.ModelStoreException;
import dev.penstock.weights.RandomModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code penstock plan}: which precision of a model to serve on this machine, and what to expect of it. */
@Command(
        name = "plan",
        mixinStandardHelpOptions = true,
        description = "Says at which precisions a model fits this machine, how fast each would be, and which to take.")
public final class PlanCommand implements Callable<Integer> {
    @Option(
            names = "--model",
            required = true,
            paramLabel = "FOLDER|SHAPE",
            description = "A Hugging Face folder, or a shape that bench knows")
    private String model = "";

    @Option(
            names = "--sequences",
            paramLabel = "N",
            defaultValue = "4",
            description = "Sequences that should run at once; default: ${DEFAULT-VALUE}")
    private int sequences;

    @Option(
            names = "--context",
            paramLabel = "N",
            defaultValue = "1024",
            description = "Tokens of each; default: ${DEFAULT-VALUE}, or the model's context if that is less")
    private int context;

    @Option(
            names = "--tokens-per-second",
            paramLabel = "N",
            defaultValue = "10",
            description = "What each sequence should decode at; default: ${DEFAULT-VALUE}")
    private double wanted;

    @Mixin
    private final MeasuringOptions measuring = new MeasuringOptions();

    /** Plans and prints; 0, or 1 where the model can't be used. */
    @Override
    public Integer call() throws IOException {
        measuring.check("--sequences", sequences, 1, 4096);
        measuring.check("--context", context, 1, 1 << 20);
        int threads = measuring.threads();
        if (!(wanted > 0)) {
            throw measuring.wrong("--tokens-per-second must be positive, not " + wanted);
        }
        try {
            ModelSource source = source();
            int tokens = Math.min(context, source.spec().shape().contextLength());
            Path root = Files.createDirectories(ModelStore.ofUser().root());
            Path temporary = Files.createTempDirectory(root, "plan-");
            PlanReport report;
            try {
                report = new Planner(new ModelStore(temporary), threads, sequences, tokens, wanted).plan(model, source);
            } finally {
                delete(temporary);
            }
            measuring.print(report, report.table());
            return 0;
        } catch (ModelFolderException | ModelStoreException | OnnxException | StepException e) {
            return measuring.failure(e);
        }
    }

    private ModelSource source() {
        Optional<RandomModel> shape = RandomModel.ofName(model.toLowerCase(Locale.ROOT), 1);
        if (shape.isPresent()) {
            return shape.get();
        }
        try {
            return ModelFolder.open(Path.of(model));
        } catch (InvalidPathException e) {
            throw measuring.wrong("--model is a folder, or one of %s, not %s"
                    .formatted(String.join(", ", RandomModel.names()), model));
        }
    }

    private static void delete(Path folder) throws IOException {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(folder)) {
            all = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : all) {
            Files.delete(path);
        }
    }
}
