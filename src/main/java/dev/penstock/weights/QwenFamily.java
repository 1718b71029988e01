package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.onnx.gemm.Activation;
import dev.penstock.weights.DecoderSpec.Attention;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Qwen 2, 2.5 and 3 (dense, text): LLaMA with biases of query, key and value in version 2, with norms of query and key
 * heads in version 3. Both can have a sliding window in the upper layers, which none of the released models uses.
 */
final class QwenFamily implements DecoderFamily {
    private final int version;

    /** Version 2 or 3. */
    QwenFamily(int version) {
        this.version = version;
    }

    @Override
    public String name() {
        return "qwen" + version;
    }

    @Override
    public Set<String> architectures() {
        return Set.of("Qwen" + version + "ForCausalLM");
    }

    @Override
    public DecoderSpec describe(JsonFile json) {
        DecoderConfig config = new DecoderConfig(
                json,
                version == 2
                        ? Map.of("max_position_embeddings", 32_768, "max_window_layers", 28)
                        : Map.of("max_position_embeddings", 32_768, "max_window_layers", 28, "head_dim", 128));
        config.requireActivation("hidden_act", Activation.SILU);
        config.refuse("attention_bias");
        DecoderShape shape = config.shape(name());
        RotaryEmbedding rotary = config.rotary(shape, false);
        int firstWindowed = config.json().requiredInt("max_window_layers", 0, DecoderConfig.MAX_LAYERS);
        OptionalInt window = config.flag("use_sliding_window") ? config.slidingWindow() : OptionalInt.empty();
        List<OptionalInt> windows = config.windows(shape.layers(), window, n -> n >= firstWindowed);
        StandardTensors tensors = new StandardTensors(shape);
        return tensors.decoder(
                config.norm(0),
                config.tied(),
                n -> tensors.layer(
                        n, attention(tensors, n, rotary).withWindow(windows.get(n)), tensors.mlp(n, Activation.SILU)));
    }

    private Attention attention(StandardTensors tensors, int layer, RotaryEmbedding rotary) {
        Attention attention = tensors.attention(layer, rotary);
        return version == 2
                ? attention.withBias(tensors.biases(layer))
                : attention.withHeadNorms(tensors.headNorms(layer));
    }
}
