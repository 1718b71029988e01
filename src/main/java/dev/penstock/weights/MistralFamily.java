package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.onnx.gemm.Activation;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/** Mistral 7B and what shares its architecture: LLaMA, in version 0.1 with a sliding window in every layer. */
final class MistralFamily implements DecoderFamily {
    @Override
    public String name() {
        return "mistral";
    }

    @Override
    public Set<String> architectures() {
        return Set.of("MistralForCausalLM");
    }

    @Override
    public DecoderSpec describe(JsonFile json) {
        DecoderConfig config =
                new DecoderConfig(json, Map.of("max_position_embeddings", 131_072, "sliding_window", 4096));
        config.requireActivation("hidden_act", Activation.SILU);
        DecoderShape shape = config.shape(name());
        RotaryEmbedding rotary = config.rotary(shape, false);
        List<OptionalInt> windows = config.windows(shape.layers(), config.slidingWindow(), _ -> true);
        StandardTensors tensors = new StandardTensors(shape);
        return tensors.decoder(
                config.norm(0),
                config.tied(),
                n -> tensors.layer(
                        n, tensors.attention(n, rotary).withWindow(windows.get(n)), tensors.mlp(n, Activation.SILU)));
    }
}
