package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Gemma 3 (text, and the text part of the models that see): Gemma 2 with norms of query and key heads in place of the
 * caps, five layers with a sliding window to each one without, and a base of the rotary embedding for either kind.
 */
final class Gemma3Family implements DecoderFamily {
    private static final String WITH_VISION = "Gemma3ForConditionalGeneration";

    /** Defaults of absent members are those of Gemma3TextConfig in Hugging Face transformers. */
    private static final Map<String, Object> DEFAULTS = Map.of(
            "num_attention_heads", 8,
            "num_key_value_heads", 4,
            "head_dim", 256,
            "vocab_size", 262_208,
            "max_position_embeddings", 131_072,
            "tie_word_embeddings", true,
            "query_pre_attn_scalar", 256,
            "sliding_window", 4096,
            "sliding_window_pattern", 6);

    @Override
    public String name() {
        return "gemma3";
    }

    @Override
    public Set<String> architectures() {
        return Set.of("Gemma3ForCausalLM", WITH_VISION);
    }

    @Override
    public DecoderSpec describe(JsonFile json) {
        boolean vision = json.strings("architectures").contains(WITH_VISION);
        JsonFile text =
                vision ? json.object("text_config").orElseThrow(() -> json.missing("text_config", "an object")) : json;
        DecoderConfig config = new DecoderConfig(text, DEFAULTS);
        DecoderShape shape = config.shape(name());
        int pattern = config.json().requiredInt("sliding_window_pattern", 1, DecoderConfig.MAX_LAYERS);
        List<OptionalInt> windows = config.windows(shape.layers(), config.slidingWindow(), n -> (n + 1) % pattern != 0);
        RotaryEmbedding global = rotary(config, shape, "full_attention", "rope_theta", 1_000_000, "rope_scaling");
        RotaryEmbedding local = rotary(config, shape, "sliding_attention", "rope_local_base_freq", 10_000, "none");
        StandardTensors tensors = new StandardTensors(shape, vision ? "language_model.model." : "model.");
        return Gemma2Family.decoder(
                config,
                tensors,
                n -> tensors.attention(n, windows.get(n).isPresent() ? local : global)
                        .withHeadNorms(tensors.headNorms(n))
                        .withScores(Gemma2Family.scores(config, windows.get(n))));
    }

    /** The embedding of one kind of layer; {@code theta} and {@code scaling} are the members that older files have. */
    private static RotaryEmbedding rotary(
            DecoderConfig config, DecoderShape shape, String kind, String theta, double absent, String scaling) {
        Optional<JsonFile> parameters = config.json().object("rope_parameters").flatMap(both -> both.object(kind));
        double base = parameters.isPresent()
                ? config.theta(parameters.get(), "rope_theta", absent)
                : config.theta(config.json(), theta, absent);
        RopeScaling stretched = config.scaling(
                parameters.or(() -> config.json().object(scaling)), shape.headSize(), shape.contextLength());
        return new RotaryEmbedding(base, stretched, shape.headSize(), false);
    }
}
