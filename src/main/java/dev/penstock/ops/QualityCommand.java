package dev.penstock.ops;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.penstock.engine.StepException;
import dev.penstock.hardware.Processor;
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
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

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

    @Option(names = "--threads", description = "Threads; default: this machine's physical cores, or its CPU quota")
    private int threads = Processor.defaultThreads();

    @Option(names = "--json", description = "Prints JSON in place of a table")
    private boolean json;

    @Spec
    private @Nullable CommandSpec spec;

    /** Measures and prints; 0, or 1 where model or text can't be used. */
    @Override
    public Integer call() throws IOException {
        check("--tokens", tokens, 1, 1 << 24);
        check("--window", window, 2, 1 << 20);
        check("--threads", threads, 1, 1024);
        PrintWriter out = commandSpec().commandLine().getOut();
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
                out.print(json ? json(report) : report.table());
                out.flush();
            }
            return 0;
        } catch (ModelFolderException
                | ModelStoreException
                | OnnxException
                | StepException
                | IllegalArgumentException e) {
            commandSpec().commandLine().getErr().println(e.getMessage());
            return 1;
        }
    }

    private static String json(QualityReport report) throws IOException {
        return new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(report) + "\n";
    }

    private void check(String option, int value, int least, int most) {
        if (value < least || value > most) {
            throw new ParameterException(
                    commandSpec().commandLine(), "%s must be %d to %d, not %d".formatted(option, least, most, value));
        }
    }

    private Path textFile() {
        if (text == null) {
            throw new IllegalStateException("picocli requires --text");
        }
        return text;
    }

    private CommandSpec commandSpec() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the command's spec");
        }
        return spec;
    }
}
