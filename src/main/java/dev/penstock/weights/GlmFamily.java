package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.onnx.gemm.Activation;
import dev.penstock.weights.DecoderSpec.Attention;
import dev.penstock.weights.DecoderSpec.Gated;
import java.util.Map;
import java.util.Set;

/**
 * GLM-4 as Hugging Face has it: one matrix for gate and up, and a rotary embedding that turns neighbouring numbers of
 * half a head. {@code glm} (GLM-4-9B of 2024) has two norms a layer, {@code glm4} (GLM-4-0414) four.
 */
final class GlmFamily implements DecoderFamily {
    private final String name;
    private final String architecture;
    private final boolean fourNorms;

    private GlmFamily(String name, String architecture, boolean fourNorms) {
        this.name = name;
        this.architecture = architecture;
        this.fourNorms = fourNorms;
    }

    /** GLM-4-9B of 2024. */
    static GlmFamily glm() {
        return new GlmFamily("glm", "GlmForCausalLM", false);
    }

    /** GLM-4-0414. */
    static GlmFamily glm4() {
        return new GlmFamily("glm4", "Glm4ForCausalLM", true);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Set<String> architectures() {
        return Set.of(architecture);
    }

    @Override
    public DecoderSpec describe(JsonFile json) {
        DecoderConfig config = new DecoderConfig(
                json,
                Map.of(
                        "max_position_embeddings",
                        131_072,
                        "head_dim",
                        128,
                        "rms_norm_eps",
                        1.5625e-7,
                        "partial_rotary_factor",
                        0.5,
                        "attention_bias",
                        true));
        config.requireActivation("hidden_act", Activation.SILU);
        DecoderShape shape = config.shape(name);
        RotaryEmbedding rotary = config.rotary(shape, true);
        StandardTensors tensors = new StandardTensors(shape);
        return tensors.decoder(config.norm(0), config.tied(), n -> {
            Attention plain = tensors.attention(n, rotary);
            Attention attention = config.flag("attention_bias") ? plain.withBias(tensors.biases(n)) : plain;
            Gated mlp = tensors.packedMlp(n, Activation.SILU);
            return fourNorms
                    ? tensors.layer(
                            n,
                            attention,
                            "post_self_attn_layernorm",
                            "post_attention_layernorm",
                            mlp,
                            "post_mlp_layernorm")
                    : tensors.layer(n, attention, mlp);
        });
    }
}
