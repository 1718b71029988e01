package dev.penstock.ops;

import dev.penstock.backend.Drainable;
import dev.penstock.embed.DecoderEncoder;
import dev.penstock.embed.EncoderLoop;
import dev.penstock.embed.EncoderObserver;
import dev.penstock.embed.EncoderOptions;
import dev.penstock.embed.EncoderRunner;
import dev.penstock.embed.OnnxEncoder;
import dev.penstock.model.KvType;
import dev.penstock.onnx.OnnxException;
import dev.penstock.prompt.EncoderModel;
import dev.penstock.prompt.tokenizer.HfTokenizer;
import dev.penstock.prompt.tokenizer.Tokenizers;
import dev.penstock.weights.BuildOptions;
import dev.penstock.weights.BuildProgress;
import dev.penstock.weights.EncoderCheckpoint;
import dev.penstock.weights.EncoderFolder;
import dev.penstock.weights.HuggingFaceFolder;
import dev.penstock.weights.ModelFolderException;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.ModelStoreException;
import dev.penstock.weights.TerminalProgress;
import dev.penstock.weights.Variant;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.function.BiFunction;

/**
 * An encoder in this process. It owns tokenizer and loop.
 *
 * @param served what the API needs of it
 * @param loop what runs it
 * @param tokenizer its native part is freed by {@link #close}
 * @param description for people
 */
record LocalEncoder(EncoderModel served, EncoderLoop loop, HfTokenizer tokenizer, String description)
        implements Drainable {
    /**
     * Loads it.
     *
     * @throws StartException it can't be loaded
     */
    static LocalEncoder load(EncoderSettings settings, PenstockConfig.Engine engine, EncoderObserver observer) {
        try {
            HfTokenizer tokenizer = tokenizer(settings.folder());
            try {
                return open(settings, engine, observer, tokenizer);
            } catch (RuntimeException | Error e) {
                tokenizer.close();
                throw e;
            }
        } catch (ModelFolderException
                | ModelStoreException
                | OnnxException
                | IllegalArgumentException
                | IOException e) {
            throw new StartException("The model " + settings.name() + " can't be loaded: " + e.getMessage(), e);
        }
    }

    private static LocalEncoder open(
            EncoderSettings settings, PenstockConfig.Engine engine, EncoderObserver observer, HfTokenizer tokenizer) {
        EncoderRunner runner = runner(settings);
        EncoderLoop loop = EncoderLoop.start(settings.name(), runner, engine.maxWaiting(), observer);
        EncoderModel served = new EncoderModel(
                settings.name(),
                Instant.now(),
                settings.folder().task(),
                runner.width(),
                tokenizer,
                settings.contextLength(),
                loop);
        return new LocalEncoder(served, loop, tokenizer, describe(settings, runner));
    }

    private static EncoderRunner runner(EncoderSettings settings) {
        EncoderFolder folder = settings.folder();
        EncoderOptions options = new EncoderOptions(
                folder.task(),
                settings.pooling(),
                folder.pooling(),
                folder.normalized(),
                folder.width(),
                settings.contextLength(),
                folder.padToken(),
                settings.threads());
        return switch (folder.weights()) {
            case EncoderFolder.Graphs graphs -> OnnxEncoder.open(graphs.file(settings.precision()), options);
            case EncoderCheckpoint checkpoint -> {
                Variant variant = building(
                        settings,
                        (store, progress) ->
                                store.build(checkpoint, settings.precision(), BuildOptions.defaults(), progress));
                yield OnnxEncoder.open(variant.graph(KvType.FP16), options);
            }
            case EncoderFolder.Decoder(HuggingFaceFolder model) -> {
                Variant variant = building(
                        settings,
                        (store, progress) ->
                                store.build(model, settings.precision(), BuildOptions.defaults(), progress));
                yield DecoderEncoder.open(
                        variant.folder(),
                        variant.shape().withContextLength(settings.contextLength()),
                        ModelSettings.kvType(settings.precision()),
                        options);
            }
        };
    }

    private static Variant building(EncoderSettings settings, BiFunction<ModelStore, BuildProgress, Variant> build) {
        try (BuildProgress progress = TerminalProgress.orLog(settings.name())) {
            return build.apply(ModelStore.ofUser(), progress);
        }
    }

    private static HfTokenizer tokenizer(EncoderFolder folder) throws IOException {
        Path file = folder.tokenizerFile()
                .orElseThrow(() -> new StartException(
                        "The model folder " + folder.path() + " has neither a tokenizer.json nor a tokenizer.model."));
        return Tokenizers.load(file);
    }

    private static String describe(EncoderSettings settings, EncoderRunner runner) {
        return String.format(
                Locale.ROOT,
                "%s (%s, %s, %d threads, context %d%s)",
                settings.name(),
                settings.folder().task().label(),
                settings.precision().label(),
                settings.threads(),
                runner.contextLength(),
                runner.width() > 1 ? ", " + runner.width() + " dimensions" : "");
    }

    @Override
    public void drain(Duration limit) throws InterruptedException {
        loop.drain(limit);
    }

    @Override
    public void close() {
        loop.close();
        tokenizer.close();
    }
}
