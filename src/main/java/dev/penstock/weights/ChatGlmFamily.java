package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.onnx.gemm.Activation;
import dev.penstock.weights.DecoderSpec.Attention;
import dev.penstock.weights.DecoderSpec.Embedding;
import dev.penstock.weights.DecoderSpec.Head;
import dev.penstock.weights.DecoderSpec.Layer;
import dev.penstock.weights.DecoderSpec.Norm;
import dev.penstock.weights.DecoderSpec.Rows;
import dev.penstock.weights.DecoderSpec.Scores;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * ChatGLM 2 and 3 and GLM-4-9B in the files that their authors published, with names of their own in config.json and
 * weights. What is computed is what {@link GlmFamily} describes; query, key and value are one matrix too. The first
 * ChatGLM bears the same name and is another architecture, which is refused.
 */
final class ChatGlmFamily implements DecoderFamily {
    @Override
    public String name() {
        return "chatglm";
    }

    @Override
    public Set<String> architectures() {
        return Set.of("ChatGLMModel", "ChatGLMForConditionalGeneration");
    }

    @Override
    public DecoderSpec describe(JsonFile file) {
        DecoderConfig config = new DecoderConfig(file, Map.of("rmsnorm", true, "post_layer_norm", true));
        JsonFile json = config.json();
        if (config.flag("position_encoding_2d") || json.get("inner_hidden_size") != null) {
            throw ModelFolderException.in(file.file(), "the first ChatGLM is not supported: " + BIDIRECTIONAL);
        }
        config.refuse("add_bias_linear", "apply_residual_connection_post_layernorm");
        config.require("rmsnorm", "post_layer_norm");
        int heads = json.requiredInt("num_attention_heads", 1, DecoderConfig.MAX_HEADS);
        int kvHeads = config.flag("multi_query_attention")
                ? json.requiredInt("multi_query_group_num", 1, DecoderConfig.MAX_HEADS)
                : heads;
        config.requireDivisor("multi_query_group_num", kvHeads, "num_attention_heads", heads);
        DecoderShape shape = new DecoderShape(
                name(),
                json.requiredInt("num_layers", 1, DecoderConfig.MAX_LAYERS),
                json.requiredInt("hidden_size", 1, DecoderConfig.MAX_WIDTH),
                heads,
                kvHeads,
                config.requireHeadSize("`kv_channels`", json.requiredInt("kv_channels", 1, DecoderConfig.MAX_WIDTH)),
                json.requiredInt("ffn_hidden_size", 1, DecoderConfig.MAX_INNER),
                json.requiredInt("padded_vocab_size", 1, DecoderConfig.MAX_VOCAB),
                json.requiredInt("seq_length", 1, DecoderConfig.MAX_CONTEXT));
        int width = shape.headSize() / 2;
        if (width % 2 != 0) {
            throw json.wrong("kv_channels", "a multiple of 4", shape.headSize());
        }
        double theta = 10_000 * config.positive("rope_ratio", 1);
        RotaryEmbedding rotary = new RotaryEmbedding(theta, new RopeScaling.None(), width, true);
        String embedding = "transformer.embedding.word_embeddings.weight";
        return new DecoderSpec(
                shape,
                new Norm(json.optionalDouble("layernorm_epsilon", 0, 1).orElse(1e-5), 0),
                new Embedding(embedding, 1),
                new Head(
                        "transformer.encoder.final_layernorm.weight",
                        config.tied() ? embedding : "transformer.output_layer.weight",
                        1,
                        0),
                IntStream.range(0, shape.layers())
                        .mapToObj(n -> layer(n, shape, rotary, config.flag("add_qkv_bias")))
                        .toList());
    }

    private static Layer layer(int number, DecoderShape shape, RotaryEmbedding rotary, boolean bias) {
        String prefix = "transformer.encoder.layers." + number + ".";
        String packed = prefix + "self_attention.query_key_value.";
        int width = (shape.heads() + 2 * shape.kvHeads()) * shape.headSize();
        return new Layer(
                prefix + "input_layernorm.weight",
                new Attention(
                        List.of(Rows.all(packed + "weight", width)),
                        bias ? List.of(Rows.all(packed + "bias", width)) : List.of(),
                        Optional.empty(),
                        prefix + "self_attention.dense.weight",
                        Scores.plain(shape.headSize()),
                        rotary),
                Optional.empty(),
                prefix + "post_attention_layernorm.weight",
                StandardTensors.packedMlp(
                        prefix + "mlp.dense_h_to_4h.weight",
                        prefix + "mlp.dense_4h_to_h.weight",
                        shape.innerSize(),
                        Activation.SILU),
                Optional.empty());
    }
}
