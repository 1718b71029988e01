package dev.penstock.ops;

import dev.penstock.backend.Drainable;
import dev.penstock.backend.Replica;
import dev.penstock.engine.EngineObserver;
import dev.penstock.engine.EngineOptions;
import dev.penstock.engine.OnnxModelRunner;
import dev.penstock.engine.RunnerConfig;
import dev.penstock.engine.StepLoop;
import dev.penstock.model.DecoderShape;
import dev.penstock.model.Device;
import dev.penstock.onnx.OnnxException;
import dev.penstock.onnx.OnnxSession;
import dev.penstock.prompt.ChatTemplate;
import dev.penstock.prompt.ServedModel;
import dev.penstock.prompt.constraint.Constraints;
import dev.penstock.prompt.tokenizer.HfTokenizer;
import dev.penstock.weights.BuildOptions;
import dev.penstock.weights.BuildProgress;
import dev.penstock.weights.ModelFolderException;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.ModelStoreException;
import dev.penstock.weights.TerminalProgress;
import dev.penstock.weights.Variant;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A replica in this process, and the text side of its model. It owns tokenizer and replica.
 *
 * @param served what the API needs of it
 * @param replica what generates
 * @param tokenizer its native part is freed by {@link #close}
 * @param guess what its steps take, before any was run
 * @param kvTokens tokens that its KV cache holds
 * @param description for people
 */
record LocalModel(
        ServedModel served,
        Replica replica,
        HfTokenizer tokenizer,
        StepTimes.Guess guess,
        long kvTokens,
        String description)
        implements Drainable {
    private static final System.Logger LOG = System.getLogger(LocalModel.class.getName());
    private static final double BYTES_PER_MIB = 1 << 20;

    /**
     * Builds what is not yet built and loads it.
     *
     * @param models how many replicas share this machine
     * @throws StartException it can't be loaded
     */
    static LocalModel load(ModelSettings settings, PenstockConfig.Engine engine, int models, EngineObserver observer) {
        try {
            return open(settings, engine, models, observer);
        } catch (ModelFolderException
                | ModelStoreException
                | OnnxException
                | IllegalArgumentException
                | IOException e) {
            throw new StartException("The model " + settings.name() + " can't be loaded: " + e.getMessage(), e);
        }
    }

    private static LocalModel open(
            ModelSettings settings, PenstockConfig.Engine engine, int models, EngineObserver observer)
            throws IOException {
        // What can be wrong goes before what takes long.
        EngineOptions options = options(engine);
        OnnxSession.require(settings.device());
        KvSpace kvSpace = KvSpace.of(settings, engine, models);
        @Nullable ChatTemplate template = ModelText.template(settings);
        HfTokenizer tokenizer = ModelText.tokenizer(settings.folder());
        try {
            Variant variant;
            try (BuildProgress progress = TerminalProgress.orLog(settings.name())) {
                variant = ModelStore.ofUser()
                        .build(
                                settings.folder(),
                                settings.precision(),
                                BuildOptions.on(settings.device()).withRounding(settings.rounding()),
                                progress);
            }
            DecoderShape shape = shape(settings, variant);
            RunnerConfig runnerConfig = kvSpace.runnerConfig(shape, variant.weightBytes());
            OnnxModelRunner runner = OnnxModelRunner.open(variant.folder(), shape, runnerConfig);
            StepLoop loop = StepLoop.start(settings.name(), runner, tokenizer, options, observer);
            Replica replica = new Replica(settings.backend(), settings.name(), loop);
            Constraints constraints = new Constraints(tokenizer);
            warmUp(constraints, settings.name());
            return new LocalModel(
                    ModelText.served(settings, variant, tokenizer, constraints, template, loop.contextLength()),
                    replica,
                    tokenizer,
                    new StepTimes.Guess(
                            variant.id(), variant.weightBytes(), shape.kvBytesPerToken(settings.kvType()), settings),
                    (long) runnerConfig.blocks() * runnerConfig.blockSize(),
                    describe(settings, runnerConfig, shape, loop));
        } catch (RuntimeException | Error e) {
            tokenizer.close();
            throw e;
        }
    }

    /** Beside all else: most requests have no constraint, and need not wait. */
    private static void warmUp(Constraints constraints, String model) {
        Thread.ofPlatform().name("constraint-warm-up").daemon().start(() -> {
            try {
                constraints.warmUp();
            } catch (RuntimeException e) {
                LOG.log(Level.DEBUG, () -> "Constraints of " + model + " are not warm", e);
            }
        });
    }

    private static DecoderShape shape(ModelSettings settings, Variant variant) {
        int most = variant.shape().contextLength();
        int context = settings.context().orElse(most);
        if (context > most) {
            throw new StartException("The model " + settings.name() + " has a context of " + most + " tokens; context="
                    + context + " is more.");
        }
        return variant.shape().withContextLength(context);
    }

    private static EngineOptions options(PenstockConfig.Engine engine) {
        return new EngineOptions(
                engine.maxStepTokens(),
                engine.maxPromptTokensBesideDecodes(),
                engine.maxRunning(),
                engine.maxWaiting(),
                engine.prefixCache(),
                engine.speculation());
    }

    private static String describe(ModelSettings settings, RunnerConfig runner, DecoderShape shape, StepLoop loop) {
        long kvBytes = (long) runner.blocks() * runner.blockSize() * shape.kvBytesPerToken(runner.kvType());
        return String.format(
                Locale.ROOT,
                "%s (%s, %s, context %d, KV cache %.0f MiB %s)",
                settings.name(),
                settings.precision().label(),
                settings.device().equals(Device.CPU)
                        ? settings.threads() + " threads"
                        : settings.device().label(),
                loop.contextLength(),
                kvBytes / BYTES_PER_MIB,
                runner.kvType().label());
    }

    @Override
    public void drain(Duration limit) throws InterruptedException {
        replica.drain(limit);
    }

    @Override
    public void close() {
        replica.close();
        tokenizer.close();
    }
}
