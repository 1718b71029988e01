package dev.penstock.ops;

import dev.penstock.engine.StepException;
import dev.penstock.onnx.OnnxException;
import dev.penstock.ops.quality.ModelQuality;
import dev.penstock.ops.quality.QualityReport;
import dev.penstock.ops.quality.TextWindows;
import dev.penstock.prompt.tokenizer.HfTokenizer;
import dev.penstock.weights.ModelFolder;
import dev.penstock.weights.ModelFolderException;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.ModelStoreException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code penstock quality}: what each precision of weights and KV cache costs a model, on a text. */
@Command(
        name = "quality",
        mixinStandardHelpOptions = true,
        description = "Predicts a text at each precision and holds the predictions against those of full precision.")
public final class QualityCommand implements Callable<Integer> {
    private static final String EMBEDDED = "embedded";

    @Option(
            names = "--model",
            paramLabel = "FOLDER",
            defaultValue = EMBEDDED,
            description = "A Hugging Face folder, or 'embedded'; default: ${DEFAULT-VALUE}")
    private String model = EMBEDDED;

    @Option(
            names = "--text",
            paramLabel = "FILE",
            required = true,
            description = "A text in UTF-8, of the kind that matters")
    private @Nullable Path text;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            defaultValue = "4096",
            description = "Tokens of the text that are used at most; default: ${DEFAULT-VALUE}")
    private int tokens;

    @Option(
            names = "--window",
            paramLabel = "N",
            defaultValue = "512",
            description = "Tokens of a sequence at most; default: ${DEFAULT-VALUE}, or the context if that is less")
    private int window;

    @Mixin
    private final MeasuringOptions measuring = new MeasuringOptions();

    /** Measures and prints; 0, or 1 where model or text can't be used. */
    @Override
    public Integer call() throws IOException {
        measuring.check("--tokens", tokens, 1, 1 << 24);
        measuring.check("--window", window, 2, 1 << 20);
        int threads = measuring.threads();
        try {
            ModelStore store = ModelStore.ofUser();
            ModelFolder folder =
                    model.equals(EMBEDDED) ? ModelSettings.embedded(store).folder() : ModelFolder.open(Path.of(model));
            try (HfTokenizer tokenizer = ModelText.tokenizer(folder)) {
                OptionalInt begin =
                        folder.tokenizer().bosToken().map(tokenizer::id).orElseGet(OptionalInt::empty);
                int length = Math.min(window, folder.spec().shape().contextLength());
                TextWindows windows = TextWindows.read(textFile(), tokenizer, begin, length, tokens);
                QualityReport report = new ModelQuality(store, folder, windows, threads)
                        .report(model, textFile().toString());
                measuring.print(report, report.table());
            }
            return 0;
        } catch (ModelFolderException
                | ModelStoreException
                | OnnxException
                | StepException
                | IllegalArgumentException e) {
            return measuring.failure(e);
        }
    }

    private Path textFile() {
        if (text == null) {
            throw new IllegalStateException("picocli requires --text");
        }
        return text;
    }
}
