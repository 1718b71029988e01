package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.onnx.gemm.Activation;
import dev.penstock.weights.DecoderSpec.Attention;
import dev.penstock.weights.DecoderSpec.Scores;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntFunction;

/**
 * Gemma 2: Gemma with a norm after attention and MLP too, caps of scores and logits, a scale of scores of its own, and a
 * sliding window in every other layer, the first one included.
 */
final class Gemma2Family implements DecoderFamily {
    /** Defaults of absent members are those of Gemma2Config in Hugging Face transformers. */
    private static final Map<String, Object> DEFAULTS = Map.of(
            "num_attention_heads", 8,
            "num_key_value_heads", 4,
            "head_dim", 256,
            "max_position_embeddings", 8192,
            "tie_word_embeddings", true,
            "query_pre_attn_scalar", 256,
            "sliding_window", 4096,
            "attn_logit_softcapping", 50.0,
            "final_logit_softcapping", 30.0);

    @Override
    public String name() {
        return "gemma2";
    }

    @Override
    public Set<String> architectures() {
        return Set.of("Gemma2ForCausalLM");
    }

    @Override
    public DecoderSpec describe(JsonFile json) {
        DecoderConfig config = new DecoderConfig(json, DEFAULTS);
        DecoderShape shape = config.shape(name());
        RotaryEmbedding rotary = config.rotary(shape, false);
        List<OptionalInt> windows = config.windows(shape.layers(), config.slidingWindow(), n -> n % 2 == 0);
        StandardTensors tensors = new StandardTensors(shape);
        return decoder(config, tensors, n -> tensors.attention(n, rotary).withScores(scores(config, windows.get(n))));
    }

    /** A decoder with the norms, the MLP and the caps that Gemma 2 and Gemma 3 share. */
    static DecoderSpec decoder(DecoderConfig config, StandardTensors tensors, IntFunction<Attention> attention) {
        config.requireActivation("hidden_activation", Activation.GELU_TANH);
        config.refuse("attention_bias", "use_bidirectional_attention");
        return new DecoderSpec(
                tensors.shape(),
                config.norm(1),
                tensors.embedding(Math.sqrt(tensors.shape().hiddenSize())),
                tensors.head(config.tied(), "lm_head.weight", config.positive("final_logit_softcapping", 0)),
                tensors.layers(n -> tensors.layer(
                        n,
                        attention.apply(n),
                        "post_attention_layernorm",
                        "pre_feedforward_layernorm",
                        tensors.mlp(n, Activation.GELU_TANH),
                        "post_feedforward_layernorm")));
    }

    /** The scale and the cap of scores that Gemma 2 and Gemma 3 share. */
    static Scores scores(DecoderConfig config, OptionalInt window) {
        return new Scores(
                1 / Math.sqrt(config.positive("query_pre_attn_scalar", 256)),
                config.positive("attn_logit_softcapping", 0),
                window);
    }
}
