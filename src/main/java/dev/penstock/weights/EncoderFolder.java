package dev.penstock.weights;

import com.fasterxml.jackson.databind.JsonNode;
import dev.penstock.model.Device;
import dev.penstock.model.EncoderTask;
import dev.penstock.model.Pooling;
import dev.penstock.model.Precision;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A folder with an encoder, which gives vectors or scores in place of text. Opening it reads the small files only.
 *
 * @param path where it is, absolute
 * @param task what it is for
 * @param pooling of the vectors of its tokens, where nothing else is configured
 * @param normalized whether its vectors are scaled to length 1
 * @param width numbers of a vector, by config.json
 * @param contextLength most tokens of an input that its authors propose
 * @param positions most tokens that it can take
 * @param padToken what fills up short inputs
 * @param weights what it is computed with
 */
public record EncoderFolder(
        Path path,
        EncoderTask task,
        Pooling pooling,
        boolean normalized,
        int width,
        int contextLength,
        int positions,
        int padToken,
        Weights weights) {
    private static final String CLASSIFIER = "ForSequenceClassification";

    /** Families whose tokens see what comes after them, by what their architectures begin with. */
    private static final Pattern ENCODER = Pattern.compile(
            "(Bert|Roberta|XLMRoberta|XLMRobertaXL|Camembert|DistilBert|MPNet|Electra|Albert|DebertaV2|Deberta"
                    + "|NomicBert|ModernBert|JinaBert|New|GteModernBert|Ernie|MobileBert)(Model|For[A-Za-z]+)");

    /** Model types whose positions are counted from behind the padding token's id. */
    private static final Set<String> OFFSET_POSITIONS =
            Set.of("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet");

    private static final int DEFAULT_POSITIONS = 512;
    private static final int SHORTEST = 2;

    /** What an encoder is computed with. */
    public sealed interface Weights permits Graphs, Decoder, EncoderCheckpoint {
        /**
         * The precision to take.
         *
         * @param asked what is wanted, if anything is
         * @throws IllegalArgumentException there is no such precision
         */
        Precision precision(Optional<Precision> asked);
    }

    /**
     * Graphs that others exported, by their precision.
     *
     * @param files absolute
     */
    public record Graphs(Map<Precision, Path> files) implements Weights {
        /** The most exact one where none is asked for: 8-bit activations are rounded by what else is in the batch. */
        @Override
        public Precision precision(Optional<Precision> asked) {
            return files.keySet().stream()
                    .filter(p -> asked.isEmpty() || asked.get() == p)
                    .min(Comparator.naturalOrder())
                    .orElseThrow(() -> new IllegalArgumentException("there are graphs of "
                            + files.keySet().stream().map(Precision::label).collect(Collectors.joining(", "))
                            + " only; they are used as they are"));
        }

        /** The file of one of its precisions. */
        public Path file(Precision precision) {
            return Objects.requireNonNull(files.get(precision));
        }
    }

    /**
     * A decoder of which hidden states are taken.
     *
     * @param model with no head
     */
    public record Decoder(HuggingFaceFolder model) implements Weights {
        /** 8 bits where nothing is asked for: vectors have no softmax to hide their errors. */
        @Override
        public Precision precision(Optional<Precision> asked) {
            return model.precision(asked.or(() -> Optional.of(Precision.INT8)), Device.CPU);
        }
    }

    /**
     * The encoder in a folder, if that is what the folder holds: config.json names the architecture of one, modules.json of
     * sentence-transformers is there, or it is asked for.
     *
     * @param asked what is wanted of it, where that is configured
     * @throws ModelFolderException it is one, but malformed or not supported
     */
    public static Optional<EncoderFolder> find(Path folder, Optional<EncoderTask> asked) {
        Path path = folder.toAbsolutePath().normalize();
        Path file = path.resolve(ModelFolder.CONFIG);
        if (!Files.exists(file)) {
            if (asked.isPresent()) {
                throw ModelFolderException.in(path, "expected a config.json as in a Hugging Face model folder");
            }
            return Optional.empty();
        }
        JsonFile config = JsonFile.read(file, ModelFolder.MAX_CONFIG_BYTES);
        List<String> architectures = config.strings("architectures");
        boolean classifier = architectures.stream().anyMatch(a -> a.endsWith(CLASSIFIER));
        Optional<SentenceModules> modules = SentenceModules.read(path);
        boolean encoder =
                architectures.stream().anyMatch(a -> ENCODER.matcher(a).matches());
        boolean headless = architectures.stream().anyMatch(DecoderFamily::isHeadless);
        if (asked.isEmpty() && !classifier && !encoder && !headless && modules.isEmpty()) {
            return Optional.empty();
        }
        EncoderTask task = asked.orElse(classifier ? EncoderTask.RERANK : EncoderTask.EMBED);
        if (task == EncoderTask.RERANK) {
            requireOneLabel(config);
        }
        if (OnnxFolder.hasGraphs(path)) {
            return Optional.of(encoder(path, config, task, modules, new Graphs(OnnxFolder.graphs(path))));
        }
        if (BertFamily.knows(config)) {
            return Optional.of(encoder(path, config, task, modules, EncoderCheckpoint.read(path, config, task)));
        }
        if (encoder) {
            throw ModelFolderException.in(
                    path,
                    "expected ONNX graphs, as Optimum exports them: encoders that are not of BERT's or RoBERTa's kind are not built from safetensors");
        }
        return Optional.of(decoder(path, config, task, modules));
    }

    private static EncoderFolder encoder(
            Path path, JsonFile config, EncoderTask task, Optional<SentenceModules> modules, Weights weights) {
        int padToken = config.tokenIds("pad_token_id").stream().findFirst().orElse(0);
        int positions = positions(config, padToken);
        return new EncoderFolder(
                path,
                task,
                modules.flatMap(SentenceModules::pooling).orElse(Pooling.MEAN),
                modules.map(SentenceModules::normalized).orElse(true),
                width(config),
                Math.min(positions, proposed(path).orElse(positions)),
                positions,
                padToken,
                weights);
    }

    private static EncoderFolder decoder(
            Path path, JsonFile config, EncoderTask task, Optional<SentenceModules> modules) {
        if (task == EncoderTask.RERANK) {
            throw ModelFolderException.in(
                    path, "a reranker that is a decoder is not supported; take one of an encoder's architecture");
        }
        if (!config.optionalBoolean("is_causal").orElse(true)
                || config.optionalBoolean("use_bidirectional_attention").orElse(false)) {
            throw ModelFolderException.in(
                    path, "its tokens attend to what comes after them too, which is not supported of a decoder");
        }
        HuggingFaceFolder model = HuggingFaceFolder.read(path).withoutHead();
        int positions = model.shape().contextLength();
        return new EncoderFolder(
                path,
                task,
                modules.flatMap(SentenceModules::pooling).orElse(Pooling.LAST),
                modules.map(SentenceModules::normalized).orElse(true),
                model.shape().hiddenSize(),
                Math.min(positions, proposed(path).orElse(positions)),
                positions,
                0,
                new Decoder(model));
    }

    /** Of more labels than one none is how well a document fits. */
    private static void requireOneLabel(JsonFile config) {
        @Nullable JsonNode labels = config.get("id2label");
        int count = config.optionalInt("num_labels", 0, Integer.MAX_VALUE).orElse(labels == null ? 1 : labels.size());
        if (count != 1) {
            throw config.wrong("id2label", "one label, as a reranker has", count + " labels");
        }
    }

    private static int width(JsonFile config) {
        return List.of("hidden_size", "dim", "n_embd", "d_model").stream()
                .flatMapToInt(name -> config.optionalInt(name, 1, DecoderConfig.MAX_WIDTH).stream())
                .findFirst()
                .orElseThrow(() -> config.missing("hidden_size", "a whole number"));
    }

    private static int positions(JsonFile config, int padToken) {
        int known = IntStream.concat(
                        config.optionalInt("max_position_embeddings", 1, DecoderConfig.MAX_CONTEXT).stream(),
                        config.optionalInt("n_positions", 1, DecoderConfig.MAX_CONTEXT).stream())
                .findFirst()
                .orElse(DEFAULT_POSITIONS);
        boolean offset = config.optionalString("model_type")
                .filter(OFFSET_POSITIONS::contains)
                .isPresent();
        return Math.max(SHORTEST, offset ? known - padToken - 1 : known);
    }

    /** What sentence-transformers cuts texts to. */
    private static OptionalInt proposed(Path path) {
        Path file = path.resolve("sentence_bert_config.json");
        return Files.exists(file)
                ? JsonFile.read(file, ModelFolder.MAX_CONFIG_BYTES)
                        .optionalInt("max_seq_length", SHORTEST, DecoderConfig.MAX_CONTEXT)
                : OptionalInt.empty();
    }

    /** The tokenizer.json, if there is one, or else the SentencePiece model. */
    public Optional<Path> tokenizerFile() {
        return List.of("tokenizer.json", "tokenizer.model").stream()
                .map(path::resolve)
                .filter(Files::isRegularFile)
                .findFirst();
    }
}
