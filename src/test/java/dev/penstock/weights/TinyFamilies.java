package dev.penstock.weights;

import dev.penstock.weights.TinyModels.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Tiny random models of the families other than LLaMA, with every switch of each on and off. */
public final class TinyFamilies {
    static final int LAYERS = 2;
    private static final String SHORT_FACTORS = "[1.0, 1.1, 1.3, 1.5, 1.7, 2.0, 2.5, 3.0]";

    private TinyFamilies() {}

    /**
     * A model to be written.
     *
     * @param name what tells it apart
     * @param config members of config.json as JSON
     * @param tensors by name
     */
    public record Folder(
            String name, Map<String, String> config, Map<String, Tensor> tensors, int vocab, boolean tied, long seed)
            implements TinyModel {
        @Override
        public boolean sparse() {
            return config.containsKey("num_experts_per_tok");
        }

        @Override
        public Path write(Path folder) {
            try {
                Files.createDirectories(folder);
                Files.writeString(folder.resolve("config.json"), json());
                TinyModels.writeTensors(folder, tensors, "F32", 1);
                return folder;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** The text of config.json. */
        String json() {
            return config.entrySet().stream()
                    .map(e -> "\"" + e.getKey() + "\": " + e.getValue())
                    .collect(Collectors.joining(", ", "{", "}"));
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** All of them. */
    public static Stream<TinyModel> all() {
        return Stream.of(
                mistral("mistral").set("sliding_window", "null").build(),
                mistral("mistral, window").set("sliding_window", "9").build(),
                mistral("mistral, window, tied")
                        .set("sliding_window", "20")
                        .set("rope_theta", "1000000.0")
                        .tie()
                        .build(),
                qwen2("qwen2", 4, 4).build(),
                qwen2("qwen2, tied", 8, 2).tie().build(),
                qwen2("qwen2, window above", 4, 1)
                        .set("use_sliding_window", "true")
                        .set("sliding_window", "8")
                        .set("max_window_layers", "1")
                        .build(),
                qwen2("qwen2, window not used", 4, 2)
                        .set("use_sliding_window", "false")
                        .set("sliding_window", "8")
                        .set("max_window_layers", "0")
                        .build(),
                qwen3("qwen3", 4, 2).build(),
                qwen3("qwen3, tied", 4, 4).tie().build(),
                qwen3("qwen3, one key head", 6, 1)
                        .set("use_sliding_window", "true")
                        .set("sliding_window", "16")
                        .set("max_window_layers", "1")
                        .build(),
                gemma("gemma, one key head", 4, 1).build(),
                gemma("gemma, untied", 4, 4)
                        .untie()
                        .set("hidden_act", "\"gelu\"")
                        .set("hidden_activation", "null")
                        .build(),
                gemma2("gemma2").build(),
                gemma2("gemma2, no caps, layer_types")
                        .set("attn_logit_softcapping", "null")
                        .set("final_logit_softcapping", "null")
                        .set("layer_types", "[\"full_attention\", \"sliding_attention\"]")
                        .build(),
                gemma2("gemma2, logits capped, untied, no window")
                        .untie()
                        .set("attn_logit_softcapping", "null")
                        .set("sliding_window", "null")
                        .build(),
                gemma3("gemma3", 3).build(),
                gemma3("gemma3, stretched, pattern", 5)
                        .set("sliding_window_pattern", "2")
                        .set("rope_scaling", "{\"rope_type\": \"linear\", \"factor\": 8.0}")
                        .set("rope_local_base_freq", "20000.0")
                        .build(),
                gemma3("gemma3, capped", 2)
                        .set("final_logit_softcapping", "4.0")
                        .set("attn_logit_softcapping", "2.0")
                        .build(),
                seeing(gemma3("gemma3, text part", 7)),
                phi3("phi3", 4, 4).build(),
                phi3("phi3, window", 8, 2).set("sliding_window", "10").build(),
                phi3("phi3, half of each head, tied", 4, 2)
                        .set("partial_rotary_factor", "0.5")
                        .tie()
                        .build(),
                longPhi3("phi3, long", 128, 32).build(),
                longPhi3("phi3, short", 128, 128).set("sliding_window", "30").build(),
                glm("glm").biases().build(),
                glm("glm, no biases, tied").set("attention_bias", "false").tie().build(),
                glm("glm, a quarter of each head")
                        .biases()
                        .set("partial_rotary_factor", "0.25")
                        .build(),
                glm4("glm4").biases().build(),
                glm4("glm4, no biases, tied")
                        .set("attention_bias", "false")
                        .tie()
                        .build(),
                chatGlm("chatglm", 4, true, 1).build(),
                chatGlm("chatglm, grouped heads", 2, true, 50).build(),
                chatGlm("chatglm, no biases", 1, false, 500).build(),
                mixtral("mixtral", 8, 2, 96).build(),
                mixtral("mixtral, odd width, window, tied", 4, 1, 40)
                        .set("sliding_window", "12")
                        .tie()
                        .build(),
                mixtral("mixtral, three of five", 5, 3, 48).build(),
                grok("grok-1", 8, 96).build(),
                grok("grok-1, five experts, other factors", 5, 64)
                        .set("embedding_multiplier_scale", 3.0)
                        .set("attn_output_multiplier", 0.4)
                        .set("max_attn_value", 5.0)
                        .set("output_multiplier_scale", 1.5)
                        .build(),
                modelGrok("grok-1, untied, other names", 4, 40).build());
    }

    static TinyMaker mistral(String name) {
        return new TinyMaker(name, "MistralForCausalLM", "mistral", 64, 8, 2, 8, 96)
                .separate(1)
                .silu();
    }

    static TinyMaker qwen2(String name, int heads, int kvHeads) {
        return new TinyMaker(name, "Qwen2ForCausalLM", "qwen2", 64, heads, kvHeads, 64 / heads, 128)
                .separate(1)
                .silu()
                .biases();
    }

    static TinyMaker qwen3(String name, int heads, int kvHeads) {
        return new TinyMaker(name, "Qwen3ForCausalLM", "qwen3", 64, heads, kvHeads, 24, 128)
                .set("head_dim", "24")
                .separate(1)
                .silu()
                .headNorms(1);
    }

    static TinyMaker gemma(String name, int heads, int kvHeads) {
        return new TinyMaker(name, "GemmaForCausalLM", "gemma", 64, heads, kvHeads, 32, 96)
                .set("head_dim", "32")
                .set("hidden_activation", "\"gelu_pytorch_tanh\"")
                .separate(0)
                .mlp()
                .tie();
    }

    /** With caps so low that they bite. */
    static TinyMaker gemma2(String name) {
        return fourNorms(new TinyMaker(name, "Gemma2ForCausalLM", "gemma2", 64, 4, 2, 16, 96))
                .set("attn_logit_softcapping", "2.0")
                .set("final_logit_softcapping", "3.0");
    }

    static TinyMaker gemma3(String name, int layers) {
        return fourNorms(new TinyMaker(name, "Gemma3ForCausalLM", "gemma3_text", 64, 4, 1, 16, 96, layers))
                .set("rope_theta", "1000000.0")
                .headNorms(0);
    }

    private static TinyMaker fourNorms(TinyMaker maker) {
        return maker.set("head_dim", maker.headSize)
                .set("hidden_activation", "\"gelu_pytorch_tanh\"")
                .set("query_pre_attn_scalar", "24")
                .set("sliding_window", "7")
                .separate(0)
                .norms("pre_feedforward_layernorm", 0)
                .norms("post_feedforward_layernorm", 0)
                .mlp()
                .tie();
    }

    /** The same as the text part of a model that sees. */
    private static Folder seeing(TinyMaker maker) {
        Folder text = maker.build();
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        text.tensors().forEach((name, tensor) -> tensors.put("language_model." + name, tensor));
        tensors.put("vision_tower.embeddings.patch_embedding.weight", maker.gaussian(0, 1, 4, 4));
        Map<String, String> config = Map.of(
                "architectures", "[\"Gemma3ForConditionalGeneration\"]",
                "model_type", "\"gemma3\"",
                "text_config", text.json(),
                "vision_config", "{\"hidden_size\": 32}");
        return new Folder(text.name(), config, tensors, text.vocab(), text.tied(), text.seed());
    }

    static TinyMaker phi3(String name, int heads, int kvHeads) {
        return new TinyMaker(name, "Phi3ForCausalLM", "phi3", 64, heads, kvHeads, 64 / heads, 96)
                .set("hidden_act", "\"silu\"")
                .set("original_max_position_embeddings", "128")
                .frame(1)
                .eachLayer((m, p) -> m.matrix(
                                p + "self_attn.qkv_proj.weight", (heads + 2 * kvHeads) * m.headSize, m.hidden, 1.4)
                        .matrix(p + "self_attn.o_proj.weight", m.hidden, heads * m.headSize, 1))
                .packedMlp();
    }

    /** A context stretched from {@code original}, with factors that differ from frequency to frequency. */
    static TinyMaker longPhi3(String name, int context, int original) {
        return longPhi3(name, context, original, "[1.0, 1.5, 2.0, 4.0, 8.0, 16.0, 20.0, 30.0]");
    }

    /** Likewise, with the factors of short contexts for all. */
    static TinyMaker longPhi3WithShortFactors(String name, int context, int original) {
        return longPhi3(name, context, original, SHORT_FACTORS);
    }

    private static TinyMaker longPhi3(String name, int context, int original, String longFactors) {
        return phi3(name, 4, 2)
                .set("max_position_embeddings", context)
                .set("original_max_position_embeddings", original)
                .set(
                        "rope_scaling",
                        "{\"type\": \"longrope\", \"short_factor\": %s, \"long_factor\": %s}"
                                .formatted(SHORT_FACTORS, longFactors));
    }

    static TinyMaker glm(String name) {
        return glm(name, "GlmForCausalLM", "glm");
    }

    static TinyMaker glm4(String name) {
        return glm(name, "Glm4ForCausalLM", "glm4")
                .norms("post_self_attn_layernorm", 1)
                .norms("post_mlp_layernorm", 1);
    }

    private static TinyMaker glm(String name, String architecture, String type) {
        return new TinyMaker(name, architecture, type, 64, 4, 2, 24, 96)
                .set("head_dim", "24")
                .set("hidden_act", "\"silu\"")
                .separate(1)
                .packedMlp();
    }

    static TinyMaker chatGlm(String name, int kvHeads, boolean bias, double ropeRatio) {
        TinyMaker maker = new TinyMaker(name, "ChatGLMModel", "chatglm", 64, 4, kvHeads, 16, 96);
        int width = (4 + 2 * kvHeads) * 16;
        maker.remove("num_hidden_layers", "num_key_value_heads", "intermediate_size", "vocab_size")
                .remove("max_position_embeddings", "rms_norm_eps")
                .set("num_layers", 2)
                .set("ffn_hidden_size", 96)
                .set("kv_channels", 16)
                .set("multi_query_attention", kvHeads < 4)
                .set("multi_query_group_num", kvHeads)
                .set("padded_vocab_size", TinyMaker.VOCAB)
                .set("seq_length", 128)
                .set("layernorm_epsilon", "1e-05")
                .set("add_qkv_bias", bias)
                .set("add_bias_linear", "false")
                .set("rmsnorm", "true")
                .set("rope_ratio", ropeRatio)
                .matrix("transformer.embedding.word_embeddings.weight", TinyMaker.VOCAB, 64, 1)
                .matrix("transformer.output_layer.weight", TinyMaker.VOCAB, 64, 1)
                .norm("transformer.encoder.final_layernorm.weight", 64, 1);
        for (int l = 0; l < 2; l++) {
            String p = "transformer.encoder.layers." + l + ".";
            maker.norm(p + "input_layernorm.weight", 64, 1)
                    .norm(p + "post_attention_layernorm.weight", 64, 1)
                    .matrix(p + "self_attention.query_key_value.weight", width, 64, 1.4)
                    .matrix(p + "self_attention.dense.weight", 64, 64, 1)
                    .matrix(p + "mlp.dense_h_to_4h.weight", 2 * 96, 64, 1)
                    .matrix(p + "mlp.dense_4h_to_h.weight", 64, 96, 1);
            if (bias) {
                maker.vector(p + "self_attention.query_key_value.bias", width, 0.5);
            }
        }
        return maker;
    }

    static TinyMaker mixtral(String name, int experts, int chosen, int inner) {
        return new TinyMaker(name, "MixtralForCausalLM", "mixtral", 64, 4, 2, 16, inner)
                .set("hidden_act", "\"silu\"")
                .set("rope_theta", "1000000.0")
                .set("num_local_experts", experts)
                .set("num_experts_per_tok", chosen)
                .separate(1)
                .eachLayer((m, p) -> {
                    m.matrix(p + "block_sparse_moe.gate.weight", experts, 64, 1.5);
                    for (int e = 0; e < experts; e++) {
                        String expert = p + "block_sparse_moe.experts." + e + ".";
                        m.matrix(expert + "w1.weight", inner, 64, 1)
                                .matrix(expert + "w3.weight", inner, 64, 1)
                                .matrix(expert + "w2.weight", 64, inner, 1);
                    }
                });
    }

    static TinyMaker grok(String name, int experts, int inner) {
        return grok(name, "GrokForCausalLM", experts, inner, Map.of());
    }

    /** Under the names of the other conversion. */
    static TinyMaker modelGrok(String name, int experts, int inner) {
        Map<String, String> names = new LinkedHashMap<>();
        names.put("transformer.decoder_layer.", "model.layers.");
        names.put("transformer.in_out_embed", "model.embed_tokens");
        names.put("transformer.rms_norm.weight", "model.norm.scale");
        names.put("rms_norm_1.weight", "post_attn_norm.scale");
        names.put("rms_norm_2.weight", "pre_moe_norm.scale");
        names.put("rms_norm_3.weight", "post_moe_norm.scale");
        names.put("rms_norm.weight", "pre_attn_norm.scale");
        names.put("multi_head_attention.query", "attn.q_proj");
        names.put("multi_head_attention.key", "attn.k_proj");
        names.put("multi_head_attention.value", "attn.v_proj");
        names.put("multi_head_attention.linear", "attn.o_proj");
        names.put("router", "moe_block.gate");
        names.put("moe.", "moe_block.experts.");
        return grok(name, "Grok1ModelForCausalLM", experts, inner, names).untie();
    }

    private static TinyMaker grok(String name, String architecture, int experts, int inner, Map<String, String> names) {
        TinyMaker maker = new TinyMaker(name, architecture, "grok-1", 64, 4, 2, 16, inner)
                .rename(names)
                .set("num_experts", experts)
                .set("num_experts_per_tok", 2)
                .set("embedding_multiplier_scale", 8.0)
                .set("attn_output_multiplier", 0.25)
                .set("max_attn_value", 2.0)
                .set("output_multiplier_scale", 0.577)
                .matrix("transformer.in_out_embed.weight", TinyMaker.VOCAB, 64, 1.5)
                .norm("transformer.rms_norm.weight", 64, 1)
                .tie();
        for (int l = 0; l < LAYERS; l++) {
            String p = "transformer.decoder_layer." + l + ".";
            for (String norm : new String[] {"rms_norm", "rms_norm_1", "rms_norm_2", "rms_norm_3"}) {
                maker.norm(p + norm + ".weight", 64, 1);
            }
            maker.matrix(p + "multi_head_attention.query.weight", 64, 64, 1.4)
                    .matrix(p + "multi_head_attention.key.weight", 32, 64, 1.4)
                    .matrix(p + "multi_head_attention.value.weight", 32, 64, 1)
                    .matrix(p + "multi_head_attention.linear.weight", 64, 64, 1)
                    .matrix(p + "router.weight", experts, 64, 1.5);
            for (int e = 0; e < experts; e++) {
                maker.matrix(p + "moe." + e + ".linear.weight", inner, 64, 1)
                        .matrix(p + "moe." + e + ".linear_v.weight", inner, 64, 1)
                        .matrix(p + "moe." + e + ".linear_1.weight", 64, inner, 1);
            }
        }
        return maker;
    }
}
