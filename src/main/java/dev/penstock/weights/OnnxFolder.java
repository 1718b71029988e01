package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.model.Device;
import dev.penstock.model.Precision;
import dev.penstock.weights.onnximport.GraphImport;
import dev.penstock.weights.onnximport.GraphImportException;
import dev.penstock.weights.onnximport.ImportedGraph;
import dev.penstock.weights.onnximport.ModelFacts;
import dev.penstock.weights.onnximport.ModelFacts.Names;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A model as graphs that others exported: a genai_config.json with the one graph that it names (onnxruntime-genai), or a
 * config.json with model.onnx and its siblings beside it or in a folder {@code onnx} (Optimum, onnx-community). Its
 * precisions are those of the files; nothing is quantised anew.
 */
public final class OnnxFolder extends ModelFolder {
    private static final String GENAI = "genai_config.json";

    /** model.onnx and its siblings, such as model_q4.onnx. */
    private static final Pattern GRAPH = Pattern.compile("model(_[a-z0-9]+)?\\.onnx");

    /** What the files' names mean, the better one first where two mean the same. */
    private static final Map<String, Precision> SUFFIXES = suffixes();

    /** The smallest first, which is the fastest. */
    private static final List<Precision> USUAL = List.of(Precision.INT4, Precision.INT8, Precision.FP32);

    private final Map<Precision, Path> graphs;
    private final ModelFacts facts;
    private final DecoderShape shape;

    private OnnxFolder(
            Path path, GenerationConfig generation, Map<Precision, Path> graphs, ModelFacts facts, DecoderShape shape) {
        super(path, generation, TokenizerConfig.read(path));
        this.graphs = graphs;
        this.facts = facts;
        this.shape = shape;
    }

    private static Map<String, Precision> suffixes() {
        Map<String, Precision> suffixes = new LinkedHashMap<>();
        suffixes.put("", Precision.FP32);
        suffixes.put("_int8", Precision.INT8);
        suffixes.put("_quantized", Precision.INT8);
        suffixes.put("_uint8", Precision.INT8);
        suffixes.put("_q4", Precision.INT4);
        return Collections.unmodifiableMap(suffixes);
    }

    /** Whether onnxruntime-genai wrote a folder. */
    static boolean isGenai(Path folder) {
        return Files.exists(folder.resolve(GENAI));
    }

    /** Whether a folder has graphs, and no safetensors that graphs of all precisions could be built from. */
    static boolean isOptimum(Path folder) {
        return listed(folder).noneMatch(name -> name.endsWith(".safetensors") || name.equals(HuggingFaceFolder.INDEX))
                && hasGraphs(folder);
    }

    /** Whether a folder has graphs, whatever else it has. */
    static boolean hasGraphs(Path folder) {
        return Stream.concat(listed(folder), listed(folder.resolve("onnx"))).anyMatch(name -> name.endsWith(".onnx"));
    }

    /** Reads a folder with a genai_config.json. */
    static OnnxFolder genai(Path path) {
        JsonFile config = JsonFile.read(path.resolve(GENAI), MAX_CONFIG_BYTES);
        JsonFile model = required(config, "model");
        for (String part : List.of("vision", "speech", "embedding", "encoder")) {
            if (model.get(part) != null) {
                throw model.wrong(part, "a model of text alone, in one graph", "one");
            }
        }
        JsonFile decoder = required(model, "decoder");
        if (decoder.get("pipeline") != null) {
            throw decoder.wrong("pipeline", "one graph for the whole decoder", "several");
        }
        String name = decoder.optionalString("filename").orElse("model.onnx");
        if (!name.endsWith(".onnx") || name.contains("/") || name.contains("\\") || name.contains("\0")) {
            throw decoder.wrong("filename", "the name of an .onnx file in the same folder", name);
        }
        Path graph = path.resolve(name);
        if (!Files.isRegularFile(graph)) {
            throw ModelFolderException.in(
                    graph, "missing, though " + GENAI + " names it: the download is not complete");
        }
        Optional<JsonFile> inputs = decoder.object("inputs");
        Optional<JsonFile> outputs = decoder.object("outputs");
        ModelFacts facts = new ModelFacts(
                model.optionalString("type").orElse("genai"),
                decoder.requiredInt("hidden_size", 1, DecoderConfig.MAX_WIDTH),
                decoder.requiredInt("num_hidden_layers", 1, DecoderConfig.MAX_LAYERS),
                decoder.requiredInt("num_attention_heads", 1, DecoderConfig.MAX_HEADS),
                boxed(decoder, "head_size"),
                model.requiredInt("vocab_size", 1, DecoderConfig.MAX_VOCAB),
                model.requiredInt("context_length", 1, DecoderConfig.MAX_CONTEXT),
                new Names(
                        name(inputs, "input_ids", Names.USUAL.inputIds()),
                        name(inputs, "position_ids", Names.USUAL.positionIds()),
                        name(inputs, "attention_mask", Names.USUAL.attentionMask()),
                        name(outputs, "logits", Names.USUAL.logits())));
        ImportedGraph found = read(graph, facts);
        return new OnnxFolder(
                path,
                GenerationConfig.of(model, config.object("search").orElse(model)),
                Map.of(found.precision(), graph),
                facts,
                found.shape());
    }

    /** Reads a folder with a config.json and graphs. */
    static OnnxFolder optimum(Path path) {
        JsonFile config = JsonFile.read(path.resolve(CONFIG), MAX_CONFIG_BYTES);
        JsonFile text = config.object("text_config").orElse(config);
        ModelFacts facts = new ModelFacts(
                text.optionalString("model_type").orElse("optimum"),
                text.requiredInt("hidden_size", 1, DecoderConfig.MAX_WIDTH),
                text.requiredInt("num_hidden_layers", 1, DecoderConfig.MAX_LAYERS),
                text.requiredInt("num_attention_heads", 1, DecoderConfig.MAX_HEADS),
                boxed(text, "head_dim"),
                text.requiredInt("vocab_size", 1, DecoderConfig.MAX_VOCAB),
                text.requiredInt("max_position_embeddings", 1, DecoderConfig.MAX_CONTEXT),
                Names.USUAL);
        Map<Precision, Path> graphs = graphs(path);
        return new OnnxFolder(
                path,
                GenerationConfig.of(config, generation(path)),
                graphs,
                facts,
                read(usual(graphs).getValue(), facts).shape());
    }

    @Override
    public DecoderShape shape() {
        return shape;
    }

    @Override
    public List<Precision> precisions(Device device) {
        return device.equals(Device.CPU)
                ? device.precisions().stream().filter(graphs::containsKey).toList()
                : List.of();
    }

    @Override
    public Precision precision(Optional<Precision> asked, Device device) {
        if (!device.equals(Device.CPU)) {
            throw cpuOnly();
        }
        Precision precision = asked.orElseGet(() -> usual(graphs).getKey());
        graphFile(precision);
        return precision;
    }

    /** That graphs of others run nowhere else. */
    ModelFolderException cpuOnly() {
        return ModelFolderException.in(
                path(),
                "ONNX graphs of others run on the CPU only: take device=cpu, or the model's safetensors for a GPU");
    }

    /** What is taken where nothing else is asked for. */
    private static Map.Entry<Precision, Path> usual(Map<Precision, Path> graphs) {
        return graphs.entrySet().stream()
                .min(Comparator.comparingInt(e -> USUAL.indexOf(e.getKey())))
                .orElseThrow();
    }

    /** The file of a precision, absolute; throws ModelFolderException where there is none. */
    Path graphFile(Precision precision) {
        Path file = graphs.get(precision);
        if (file == null) {
            throw ModelFolderException.in(
                    path(),
                    "expected an ONNX graph of precision %s, found %s; graphs of others are used as they are"
                            .formatted(
                                    precision.label(),
                                    precisions(Device.CPU).stream()
                                            .map(p -> p.label() + " (" + path().relativize(graphFile(p)) + ")")
                                            .collect(Collectors.joining(", "))));
        }
        return file;
    }

    /** The graph of a precision, rewritten, for at most so many positions. */
    ImportedGraph graph(Precision precision, int contextLimit) {
        return read(graphFile(precision), facts.withContextLength(Math.min(facts.contextLength(), contextLimit)));
    }

    private static ImportedGraph read(Path graph, ModelFacts facts) {
        try {
            return GraphImport.read(graph, facts);
        } catch (GraphImportException e) {
            throw ModelFolderException.in(graph, String.valueOf(e.getMessage()), e);
        } catch (IOException e) {
            throw ModelFolderException.in(graph, "can't be read: " + e, e);
        }
    }

    /** The graphs of a folder by what their names say; throws ModelFolderException where there are none. */
    static Map<Precision, Path> graphs(Path path) {
        Path inner = path.resolve("onnx");
        Path folder = Files.isDirectory(inner) ? inner : path;
        Map<String, Path> found = new TreeMap<>();
        listed(folder).filter(name -> name.endsWith(".onnx")).forEach(name -> {
            Matcher matcher = GRAPH.matcher(name);
            found.put(
                    matcher.matches() ? Optional.ofNullable(matcher.group(1)).orElse("") : name, folder.resolve(name));
        });
        Map<Precision, Path> graphs = new EnumMap<>(Precision.class);
        SUFFIXES.forEach((suffix, precision) -> {
            if (found.containsKey(suffix)) {
                graphs.putIfAbsent(precision, found.get(suffix));
            }
        });
        if (graphs.isEmpty()) {
            throw ModelFolderException.in(
                    folder,
                    "expected model.onnx, model_int8.onnx, model_quantized.onnx, model_uint8.onnx or model_q4.onnx; found "
                            + found.values().stream()
                                    .map(f -> f.getFileName().toString())
                                    .collect(Collectors.joining(", "))
                            + ", which is merged of two graphs, computes in 16 bits, or has a name that says nothing of it");
        }
        return graphs;
    }

    private static Stream<String> listed(Path folder) {
        if (!Files.isDirectory(folder)) {
            return Stream.empty();
        }
        try (Stream<Path> all = Files.list(folder)) {
            return all.map(f -> f.getFileName().toString()).sorted().toList().stream();
        } catch (IOException e) {
            throw ModelFolderException.in(folder, "can't be listed: " + e, e);
        }
    }

    private static JsonFile required(JsonFile json, String name) {
        return json.object(name).orElseThrow(() -> json.missing(name, "an object"));
    }

    private static Optional<Integer> boxed(JsonFile json, String name) {
        return json.optionalInt(name, 1, DecoderConfig.MAX_WIDTH).stream()
                .boxed()
                .findFirst();
    }

    private static String name(Optional<JsonFile> names, String key, String usual) {
        return names.flatMap(n -> n.optionalString(key)).orElse(usual);
    }
}
