package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A model of known dimensions with random weights, to measure speed without a download.
 *
 * @param name the name of its dimensions
 * @param spec what kind of model it is
 * @param seed the same seed gives the same weights
 */
public record RandomModel(String name, DecoderSpec spec, long seed) implements RawModel {
    private static final Map<String, DecoderSpec> SHAPES = shapes();

    /** The names that {@link #ofName} knows. */
    public static Set<String> names() {
        return SHAPES.keySet();
    }

    /** A model with the configuration of a well-known one; {@code mixtral-8x7b-4l} is cut to four layers. */
    public static Optional<RandomModel> ofName(String name, long seed) {
        return Optional.ofNullable(SHAPES.get(name)).map(spec -> new RandomModel(name, spec, seed));
    }

    /** A model of LLaMA's architecture, or of Mixtral's if it has experts, with these dimensions. */
    public static RandomModel ofShape(String name, DecoderShape shape, boolean tiedHead, long seed) {
        RotaryEmbedding rotary = new RotaryEmbedding(10_000, new RopeScaling.None(), shape.headSize(), false);
        DecoderSpec.Norm norm = new DecoderSpec.Norm(1e-5, 0);
        List<OptionalInt> windows = Collections.nCopies(shape.layers(), OptionalInt.empty());
        return new RandomModel(
                name,
                shape.experts() > 1
                        ? MixtralFamily.spec(shape, norm, rotary, windows, tiedHead)
                        : LlamaFamily.spec(shape, norm, rotary, tiedHead),
                seed);
    }

    @Override
    public WeightSource openWeights() {
        return new RandomWeights(seed);
    }

    private static Map<String, DecoderSpec> shapes() {
        Map<String, DecoderSpec> shapes = new LinkedHashMap<>();
        put(shapes, "tinyllama-1.1b", """
                {"architectures": ["LlamaForCausalLM"], "num_hidden_layers": 22, "hidden_size": 2048,
                 "num_attention_heads": 32, "num_key_value_heads": 4, "intermediate_size": 5632, "vocab_size": 32000,
                 "max_position_embeddings": 2048, "rms_norm_eps": 1e-5}""");
        put(shapes, "llama-2-7b", """
                {"architectures": ["LlamaForCausalLM"], "num_hidden_layers": 32, "hidden_size": 4096,
                 "num_attention_heads": 32, "intermediate_size": 11008, "vocab_size": 32000,
                 "max_position_embeddings": 4096, "rms_norm_eps": 1e-5}""");
        put(shapes, "gemma-2b", """
                {"architectures": ["GemmaForCausalLM"], "num_hidden_layers": 18, "hidden_size": 2048,
                 "num_attention_heads": 8, "num_key_value_heads": 1, "intermediate_size": 16384, "vocab_size": 256000}""");
        put(shapes, "mixtral-8x7b-4l", """
                {"architectures": ["MixtralForCausalLM"], "num_hidden_layers": 4, "hidden_size": 4096,
                 "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 32000,
                 "max_position_embeddings": 32768}""");
        return Collections.unmodifiableMap(shapes);
    }

    private static void put(Map<String, DecoderSpec> shapes, String name, String config) {
        JsonFile json = JsonFile.parse(Path.of(name), config.getBytes(StandardCharsets.UTF_8));
        shapes.put(name, DecoderFamily.of(json).describe(json));
    }
}
