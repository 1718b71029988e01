package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.onnx.gemm.Activation;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Gemma 1: LLaMA with GELU in place of SiLU, weights of norms stored as their difference from 1, and embeddings times
 * the root of their width. The models were trained with the tanh approximation of GELU, whatever their first
 * config.json said ({@code gelu}).
 */
final class GemmaFamily implements DecoderFamily {
    @Override
    public String name() {
        return "gemma";
    }

    @Override
    public Set<String> architectures() {
        return Set.of("GemmaForCausalLM");
    }

    @Override
    public DecoderSpec describe(JsonFile json) {
        DecoderConfig config = new DecoderConfig(
                json, Map.of("max_position_embeddings", 8192, "head_dim", 256, "tie_word_embeddings", true));
        String activation = json.optionalString("hidden_act").orElse("gelu");
        if (!List.of("gelu", "gelu_pytorch_tanh").contains(activation)) {
            throw json.wrong("hidden_act", "gelu or gelu_pytorch_tanh, as models of this family have it", activation);
        }
        config.requireActivation("hidden_activation", Activation.GELU_TANH);
        config.refuse("attention_bias", "use_bidirectional_attention");
        DecoderShape shape = config.shape(name());
        RotaryEmbedding rotary = config.rotary(shape, false);
        StandardTensors tensors = new StandardTensors(shape);
        return new DecoderSpec(
                shape,
                config.norm(1),
                tensors.embedding(Math.sqrt(shape.hiddenSize())),
                tensors.head(config.tied(), "lm_head.weight", 0),
                tensors.layers(
                        n -> tensors.layer(n, tensors.attention(n, rotary), tensors.mlp(n, Activation.GELU_TANH))));
    }
}
