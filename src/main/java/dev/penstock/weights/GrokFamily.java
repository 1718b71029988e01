package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.onnx.gemm.Activation;
import dev.penstock.weights.DecoderSpec.Attention;
import dev.penstock.weights.DecoderSpec.Embedding;
import dev.penstock.weights.DecoderSpec.Experts;
import dev.penstock.weights.DecoderSpec.Gated;
import dev.penstock.weights.DecoderSpec.Head;
import dev.penstock.weights.DecoderSpec.Layer;
import dev.penstock.weights.DecoderSpec.Rows;
import dev.penstock.weights.DecoderSpec.Scores;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Grok-1: experts with GELU, of which a token takes two by their shares of all, four norms a layer, a cap of scores, and
 * factors of embeddings and logits. Two conversions of the released weights to Hugging Face's format are known, with
 * tensor names of their own each: {@link GrokNames}.
 */
final class GrokFamily implements DecoderFamily {
    private static final Map<String, Object> DEFAULTS = Map.of(
            "max_position_embeddings", 8192,
            "rms_norm_eps", 1e-5,
            "tie_word_embeddings", true,
            "num_experts", 8,
            "num_experts_per_tok", 2,
            "attn_output_multiplier", 0.08838834764831845,
            "max_attn_value", 30.0,
            "embedding_multiplier_scale", 78.38367176906169,
            "output_multiplier_scale", 0.5773502691896257);

    @Override
    public String name() {
        return "grok-1";
    }

    @Override
    public Set<String> architectures() {
        return Set.of("GrokForCausalLM", "Grok1ModelForCausalLM");
    }

    @Override
    public DecoderSpec describe(JsonFile json) {
        DecoderConfig config = new DecoderConfig(json, DEFAULTS);
        DecoderShape shape = config.withExperts(config.shape(name()), "num_experts");
        GrokNames names =
                json.strings("architectures").contains("GrokForCausalLM") ? GrokNames.OF_JAX : GrokNames.OF_MODEL;
        RotaryEmbedding rotary = config.rotary(shape, false);
        Scores scores = new Scores(
                config.positive("attn_output_multiplier", 1),
                config.positive("max_attn_value", 0),
                OptionalInt.empty());
        return new DecoderSpec(
                shape,
                config.norm(0),
                new Embedding(names.embedding(), config.positive("embedding_multiplier_scale", 1)),
                new Head(
                        names.finalNorm(),
                        config.tied() ? names.embedding() : "lm_head.weight",
                        config.positive("output_multiplier_scale", 1),
                        0),
                IntStream.range(0, shape.layers())
                        .mapToObj(n -> layer(names, names.layers() + n + ".", shape, scores, rotary))
                        .toList());
    }

    private static Layer layer(
            GrokNames names, String prefix, DecoderShape shape, Scores scores, RotaryEmbedding rotary) {
        int kvWidth = shape.kvHeads() * shape.headSize();
        List<String> attention = names.attention().stream().map(n -> prefix + n).toList();
        return new Layer(
                prefix + names.norms().get(0),
                new Attention(
                        List.of(
                                Rows.all(attention.get(0), shape.heads() * shape.headSize()),
                                Rows.all(attention.get(1), kvWidth),
                                Rows.all(attention.get(2), kvWidth)),
                        List.of(),
                        Optional.empty(),
                        attention.get(3),
                        scores,
                        rotary),
                Optional.of(prefix + names.norms().get(1)),
                prefix + names.norms().get(2),
                new Experts(
                        prefix + names.router(),
                        IntStream.range(0, shape.experts())
                                .mapToObj(e -> expert(prefix + names.experts() + e + ".", shape.innerSize()))
                                .toList(),
                        shape.chosenExperts(),
                        false),
                Optional.of(prefix + names.norms().get(3)));
    }

    private static Gated expert(String prefix, int inner) {
        return new Gated(
                Rows.all(prefix + "linear.weight", inner),
                Rows.all(prefix + "linear_v.weight", inner),
                prefix + "linear_1.weight",
                Activation.GELU_TANH);
    }
}
