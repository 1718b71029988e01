package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A model of known dimensions with random weights, to measure speed without a download.
 *
 * @param name the name of its dimensions
 * @param spec what kind of model it is
 * @param seed the same seed gives the same weights
 */
public record RandomModel(String name, DecoderSpec spec, long seed) implements ModelSource {
    private static final Map<String, DecoderSpec> SHAPES = shapes();

    /** The names that {@link #ofName} knows. */
    public static Set<String> names() {
        return SHAPES.keySet();
    }

    /**
     * A model with the dimensions of a well-known one. {@code gemma-2b} has Gemma's dimensions in LLaMA's architecture:
     * the sizes of its matrices, the embedding table and the cache are right, which speed depends on.
     */
    public static Optional<RandomModel> ofName(String name, long seed) {
        return Optional.ofNullable(SHAPES.get(name)).map(spec -> new RandomModel(name, spec, seed));
    }

    /** A model of LLaMA's architecture with these dimensions. */
    public static RandomModel ofShape(String name, DecoderShape shape, boolean tiedHead, long seed) {
        RotaryEmbedding rotary = new RotaryEmbedding(10_000, new RopeScaling.None(), shape.headSize(), false);
        return new RandomModel(name, LlamaFamily.spec(shape, new DecoderSpec.Norm(1e-5, 0), rotary, tiedHead), seed);
    }

    @Override
    public WeightSource openWeights() {
        return new RandomWeights(seed);
    }

    private static Map<String, DecoderSpec> shapes() {
        Map<String, DecoderSpec> shapes = new LinkedHashMap<>();
        put(shapes, "tinyllama-1.1b", new DecoderShape("llama", 22, 2048, 32, 4, 64, 5632, 32_000, 2048), false);
        put(shapes, "llama-2-7b", new DecoderShape("llama", 32, 4096, 32, 32, 128, 11_008, 32_000, 4096), false);
        put(shapes, "gemma-2b", new DecoderShape("llama", 18, 2048, 8, 1, 256, 16_384, 256_000, 8192), true);
        return Collections.unmodifiableMap(shapes);
    }

    private static void put(Map<String, DecoderSpec> shapes, String name, DecoderShape shape, boolean tiedHead) {
        shapes.put(name, ofShape(name, shape, tiedHead, 0).spec());
    }
}
