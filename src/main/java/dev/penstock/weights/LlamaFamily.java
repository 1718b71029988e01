package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.onnx.gemm.Activation;
import dev.penstock.weights.DecoderSpec.Norm;
import java.util.Map;
import java.util.Set;

/**
 * LLaMA 1, 2, 3, 3.1 and 3.2 (text): RMSNorm before attention and MLP, rotary embedding over the whole head, grouped
 * heads, SiLU gate, no biases. Defaults of absent members are those of LlamaConfig in Hugging Face transformers.
 */
final class LlamaFamily implements DecoderFamily {
    @Override
    public String name() {
        return "llama";
    }

    @Override
    public Set<String> architectures() {
        return Set.of("LlamaForCausalLM");
    }

    @Override
    public DecoderSpec describe(JsonFile json) {
        DecoderConfig config = new DecoderConfig(json, Map.of("max_position_embeddings", 2048));
        config.requireActivation("hidden_act", Activation.SILU);
        config.refuse("attention_bias", "mlp_bias");
        DecoderShape shape = config.shape(name());
        return spec(shape, config.norm(0), config.rotary(shape, false), config.tied());
    }

    /** The description of a model with these dimensions. */
    static DecoderSpec spec(DecoderShape shape, Norm norm, RotaryEmbedding rotary, boolean tied) {
        StandardTensors tensors = new StandardTensors(shape);
        return tensors.decoder(
                norm, tied, n -> tensors.layer(n, tensors.attention(n, rotary), tensors.mlp(n, Activation.SILU)));
    }
}
