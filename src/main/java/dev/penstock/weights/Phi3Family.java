package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.onnx.gemm.Activation;
import dev.penstock.weights.DecoderSpec.Rows;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Phi-3 and Phi-3.5 (mini, medium) and Phi-4: LLaMA with one matrix for query, key and value and one for gate and up; some
 * have a sliding window, LongRoPE, or heads of which a part turns.
 */
final class Phi3Family implements DecoderFamily {
    @Override
    public String name() {
        return "phi3";
    }

    @Override
    public Set<String> architectures() {
        return Set.of("Phi3ForCausalLM");
    }

    @Override
    public DecoderSpec describe(JsonFile json) {
        DecoderConfig config = new DecoderConfig(json, Map.of("max_position_embeddings", 4096, "rms_norm_eps", 1e-5));
        config.requireActivation("hidden_act", Activation.SILU);
        config.refuse("attention_bias");
        DecoderShape shape = config.shape(name());
        RotaryEmbedding rotary = config.rotary(shape, false);
        List<OptionalInt> windows = config.windows(shape.layers(), config.slidingWindow(), _ -> true);
        StandardTensors tensors = new StandardTensors(shape);
        int rows = (shape.heads() + 2 * shape.kvHeads()) * shape.headSize();
        return tensors.decoder(
                config.norm(0),
                config.tied(),
                n -> tensors.layer(
                        n,
                        tensors.attention(n, rotary, List.of(Rows.all(tensors.name(n, "self_attn.qkv_proj"), rows)))
                                .withWindow(windows.get(n)),
                        tensors.packedMlp(n, Activation.SILU)));
    }
}
