package dev.penstock.ops;

import dev.penstock.engine.StepException;
import dev.penstock.model.Device;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.ops.bench.BenchCase;
import dev.penstock.ops.bench.BenchPlan;
import dev.penstock.ops.bench.BenchReport;
import dev.penstock.ops.bench.ModelBench;
import dev.penstock.ops.bench.SpeculationBench;
import dev.penstock.ops.bench.SpeculationReport;
import dev.penstock.weights.BuildOptions;
import dev.penstock.weights.BuildProgress;
import dev.penstock.weights.ModelFolder;
import dev.penstock.weights.ModelFolderException;
import dev.penstock.weights.ModelSource;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.ModelStoreException;
import dev.penstock.weights.RandomModel;
import dev.penstock.weights.Variant;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code penstock bench}: how fast a model runs on this machine, and how near to what the machine can do. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = "Measures a model, or random weights of a known shape, on this machine.")
public final class BenchCommand implements Callable<Integer> {
    private static final int SEED = 1;

    @ArgGroup(multiplicity = "1")
    private @Nullable Subject subject;

    @Option(
            names = "--precision",
            description = "fp32, int8, int4 or mixed; default: int4, or what a folder with ONNX graphs has")
    private @Nullable String precision;

    @Option(
            names = "--prompt",
            split = ",",
            defaultValue = "128,512",
            description = "Prompt lengths in tokens, 0 for none; default: ${DEFAULT-VALUE}")
    private List<Integer> prompts = List.of();

    @Option(
            names = "--batch",
            split = ",",
            defaultValue = "1,4,8,16",
            description = "Sequences that decode at once; default: ${DEFAULT-VALUE}")
    private List<Integer> batches = List.of();

    @Option(
            names = "--context",
            split = ",",
            defaultValue = "256,1500",
            description = "Tokens of each sequence before it decodes, 0 for no decoding; default: ${DEFAULT-VALUE}")
    private List<Integer> contexts = List.of();

    @Option(
            names = "--kv",
            defaultValue = "fp16",
            description = "KV cache: fp32, fp16 or int8; default: ${DEFAULT-VALUE}")
    private String kv = "fp16";

    @Option(
            names = "--rounds",
            defaultValue = "3",
            description = "Timed rounds over all cases, of which medians are taken; default: ${DEFAULT-VALUE}")
    private int rounds;

    @Option(names = "--steps", defaultValue = "16", description = "Decode steps of a round; default: ${DEFAULT-VALUE}")
    private int steps;

    @Option(names = "--engine", description = "Also decodes through the step loop, sampling and detokenizing included")
    private boolean engine;

    @Option(
            names = "--speculation",
            description =
                    "In place of all that: decodes texts that repeat their prompts or don't, with and without drafts, for"
                            + " each batch, after the first --prompt, and as many tokens")
    private boolean speculation;

    @Mixin
    private final MeasuringOptions measuring = new MeasuringOptions();

    /** What is measured. */
    static final class Subject {
        @Option(names = "--model", required = true, description = "A Hugging Face folder, or one with ONNX graphs")
        private @Nullable Path model;

        @Option(
                names = "--shape",
                required = true,
                description = "Random weights of tinyllama-1.1b, llama-2-7b, gemma-2b or mixtral-8x7b-4l (four layers)")
        private @Nullable String shape;
    }

    /** Measures and prints; 0, or 1 where the model can't be used. */
    @Override
    public Integer call() throws Exception {
        BenchPlan plan = plan();
        try {
            ModelSource source = source();
            Variant variant = ModelStore.ofUser()
                    .build(
                            source,
                            source.precision(precision(), Device.CPU),
                            BuildOptions.defaults(),
                            BuildProgress.NONE);
            if (speculation) {
                SpeculationReport report = SpeculationBench.run(name(), variant, plan, prompts.getFirst());
                measuring.print(report, report.table());
            } else {
                BenchReport report = ModelBench.run(name(), variant, plan);
                measuring.print(report, report.table());
            }
            return 0;
        } catch (ModelFolderException | ModelStoreException | IllegalArgumentException | StepException e) {
            return measuring.failure(e);
        }
    }

    private BenchPlan plan() {
        try {
            List<Integer> promptLengths = prompts.stream().filter(n -> n != 0).toList();
            List<Integer> contextLengths = contexts.stream().filter(n -> n != 0).toList();
            return new BenchPlan(
                    BenchCase.of(promptLengths, batches, contextLengths),
                    kvType(),
                    measuring.threads(),
                    rounds,
                    steps,
                    engine);
        } catch (IllegalArgumentException e) {
            throw measuring.wrong(String.valueOf(e.getMessage()));
        }
    }

    private String name() {
        Subject chosen = chosen();
        return chosen.model != null ? chosen.model.toString() : String.valueOf(chosen.shape);
    }

    private ModelSource source() {
        Subject chosen = chosen();
        if (chosen.model != null) {
            return ModelFolder.open(chosen.model);
        }
        String shape = String.valueOf(chosen.shape).toLowerCase(Locale.ROOT);
        return RandomModel.ofName(shape, SEED)
                .orElseThrow(() -> measuring.wrong(
                        "--shape knows %s, not %s".formatted(String.join(", ", RandomModel.names()), shape)));
    }

    private Optional<Precision> precision() {
        return Optional.ofNullable(precision)
                .map(label -> Precision.ofLabel(label)
                        .orElseThrow(() ->
                                measuring.wrong("--precision is one of " + Precision.labels() + ", not " + label)));
    }

    private KvType kvType() {
        return KvType.ofLabel(kv)
                .orElseThrow(() -> measuring.wrong("--kv is one of " + KvType.labels() + ", not " + kv));
    }

    private Subject chosen() {
        if (subject == null) {
            throw new IllegalStateException("picocli sets one of --model and --shape");
        }
        return subject;
    }
}
