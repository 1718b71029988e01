package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.onnx.gemm.Activation;
import dev.penstock.weights.DecoderSpec.Experts;
import dev.penstock.weights.DecoderSpec.Gated;
import dev.penstock.weights.DecoderSpec.Norm;
import dev.penstock.weights.DecoderSpec.Rows;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Mixtral: Mistral with experts, of which a token takes two (Jiang et al. 2024), weighted so that their shares add up to
 * 1.
 */
final class MixtralFamily implements DecoderFamily {
    @Override
    public String name() {
        return "mixtral";
    }

    @Override
    public Set<String> architectures() {
        return Set.of("MixtralForCausalLM");
    }

    @Override
    public DecoderSpec describe(JsonFile json) {
        DecoderConfig config = new DecoderConfig(
                json,
                Map.of(
                        "max_position_embeddings", 131_072,
                        "rms_norm_eps", 1e-5,
                        "rope_theta", 1e6,
                        "num_local_experts", 8,
                        "num_experts_per_tok", 2));
        config.requireActivation("hidden_act", Activation.SILU);
        DecoderShape shape = config.withExperts(config.shape(name()), "num_local_experts");
        RotaryEmbedding rotary = config.rotary(shape, false);
        List<OptionalInt> windows = config.windows(shape.layers(), config.slidingWindow(), _ -> true);
        return spec(shape, config.norm(0), rotary, windows, config.tied());
    }

    /** The description of a model with these dimensions; {@code windows}: how far back each layer looks. */
    static DecoderSpec spec(
            DecoderShape shape, Norm norm, RotaryEmbedding rotary, List<OptionalInt> windows, boolean tied) {
        StandardTensors tensors = new StandardTensors(shape);
        return tensors.decoder(
                norm,
                tied,
                n -> tensors.layer(n, tensors.attention(n, rotary).withWindow(windows.get(n)), experts(tensors, n)));
    }

    private static Experts experts(StandardTensors tensors, int layer) {
        DecoderShape shape = tensors.shape();
        return new Experts(
                tensors.name(layer, "block_sparse_moe.gate"),
                IntStream.range(0, shape.experts())
                        .mapToObj(e -> "block_sparse_moe.experts." + e + ".")
                        .map(e -> new Gated(
                                Rows.all(tensors.name(layer, e + "w1"), shape.innerSize()),
                                Rows.all(tensors.name(layer, e + "w3"), shape.innerSize()),
                                tensors.name(layer, e + "w2"),
                                Activation.SILU))
                        .toList(),
                shape.chosenExperts(),
                true);
    }
}
