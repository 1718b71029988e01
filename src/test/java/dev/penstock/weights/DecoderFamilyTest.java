package dev.penstock.weights;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.model.Precision;
import dev.penstock.weights.TinyFamilies.Folder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What families read out of config.json, and what they refuse; what they compute is {@link DecoderGraphTest}'s. */
class DecoderFamilyTest {
    @TempDir
    Path temp;

    @Test
    void ropeParametersOfGemma3MeanWhatTheOlderMembersMean() {
        DecoderSpec older = spec(TinyFamilies.gemma3("gemma3", 7)
                .set("rope_scaling", "{\"rope_type\": \"linear\", \"factor\": 8.0}")
                .set("rope_local_base_freq", "20000.0"));
        DecoderSpec newer = spec(TinyFamilies.gemma3("gemma3", 7)
                .remove("rope_theta")
                .set(
                        "rope_parameters",
                        "{\"full_attention\": {\"rope_type\": \"linear\", \"factor\": 8.0, \"rope_theta\": 1000000.0},"
                                + " \"sliding_attention\": {\"rope_type\": \"default\", \"rope_theta\": 20000.0}}"));
        assertThat(newer).isEqualTo(older);
        assertThat(windows(newer)).containsExactly(7, 7, 7, 7, 7, 0, 7);
    }

    @Test
    void sizesThatGemma3LeavesOutAreThoseOfItsOwnConfiguration() {
        DecoderSpec spec = spec(TinyFamilies.gemma3("gemma3", 2)
                .remove("num_attention_heads", "num_key_value_heads", "head_dim", "vocab_size"));
        assertThat(spec.shape().heads()).isEqualTo(8);
        assertThat(spec.shape().kvHeads()).isEqualTo(4);
        assertThat(spec.shape().headSize()).isEqualTo(256);
        assertThat(spec.shape().vocabSize()).isEqualTo(262_208);
    }

    @Test
    void windowThatIsLeftOutIsTheFamilysAndNullIsNone() {
        assertThat(windows(spec(TinyFamilies.mistral("mistral")))).containsExactly(4096, 4096);
        assertThat(windows(spec(TinyFamilies.mistral("mistral").set("sliding_window", "null"))))
                .containsExactly(0, 0);
    }

    @Test
    void factorsOfLongRopeGoByTheContextThatIsBuilt() {
        DecoderSpec spec = spec(TinyFamilies.longPhi3("phi3", 128, 32));
        RotaryEmbedding rotary = spec.layers().getFirst().attention().rotary();
        assertThat(rotary.frequencies(32)[1] / rotary.frequencies(33)[1]).isEqualTo(1.5 / 1.1);
        assertThat(rotary.magnitude()).isEqualTo(Math.sqrt(1 + Math.log(4) / Math.log(32)));
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                Arguments.of(TinyFamilies.mistral("m").set("hidden_act", "\"gelu\""), "`hidden_act`: expected silu"),
                Arguments.of(TinyFamilies.mistral("m").set("sliding_window", "0"), "`sliding_window`"),
                Arguments.of(TinyFamilies.mistral("m").set("sliding_window", "-1"), "`sliding_window`"),
                Arguments.of(TinyFamilies.qwen2("q", 4, 2).set("attention_bias", "true"), "`attention_bias`"),
                Arguments.of(TinyFamilies.qwen2("q", 4, 2).set("layer_types", "[\"full_attention\"]"), "2 of them"),
                Arguments.of(
                        TinyFamilies.qwen2("q", 4, 2).set("layer_types", "[\"full_attention\", \"linear_attention\"]"),
                        "sliding_attention or full_attention"),
                Arguments.of(TinyFamilies.gemma("g", 4, 4).set("hidden_act", "\"relu\""), "gelu_pytorch_tanh"),
                Arguments.of(TinyFamilies.gemma2("g").set("hidden_activation", "\"silu\""), "gelu_pytorch_tanh"),
                Arguments.of(TinyFamilies.gemma2("g").set("attn_logit_softcapping", "-50.0"), "a number from"),
                Arguments.of(TinyFamilies.gemma2("g").set("query_pre_attn_scalar", "0"), "a number from"),
                Arguments.of(
                        TinyFamilies.gemma3("g", 2).set("use_bidirectional_attention", "true"), "is not supported"),
                Arguments.of(TinyFamilies.gemma3("g", 2).set("sliding_window_pattern", "0"), "a whole number from 1"),
                Arguments.of(TinyFamilies.phi3("p", 4, 4).set("partial_rotary_factor", "0.2"), "an even part"),
                Arguments.of(
                        TinyFamilies.phi3("p", 4, 4).set("rope_scaling", "{\"type\": \"longrope\"}"),
                        "8 numbers, one for each frequency"),
                Arguments.of(
                        TinyFamilies.phi3("p", 4, 4)
                                .set("rope_scaling", "{\"type\": \"su\", \"short_factor\": [0, 1, 1, 1, 1, 1, 1, 1]}"),
                        "an array of numbers from"),
                Arguments.of(TinyFamilies.glm("g").set("hidden_act", "\"gelu\""), "silu"),
                Arguments.of(
                        TinyFamilies.mixtral("m", 4, 5, 32),
                        "`num_experts_per_tok`: expected a whole number from 1 to 4"),
                Arguments.of(TinyFamilies.mixtral("m", 4, 2, 32).set("num_local_experts", 0), "from 1 to 1024"),
                Arguments.of(TinyFamilies.mixtral("m", 4, 2, 32).set("num_local_experts", "1e9"), "from 1 to 1024"),
                Arguments.of(TinyFamilies.grok("g", 4, 32).set("num_experts", "-8"), "`num_experts`"),
                Arguments.of(TinyFamilies.grok("g", 4, 32).set("max_attn_value", "0"), "a number from"),
                Arguments.of(TinyFamilies.chatGlm("c", 3, true, 1), "a divisor of num_attention_heads"),
                Arguments.of(TinyFamilies.chatGlm("c", 2, true, 1).set("rmsnorm", "false"), "`rmsnorm`: expected true"),
                Arguments.of(TinyFamilies.chatGlm("c", 2, true, 1).set("add_bias_linear", "true"), "is not supported"),
                Arguments.of(TinyFamilies.chatGlm("c", 2, true, 1).set("num_layers", "1e12"), "from 1 to 1024"),
                Arguments.of(
                        TinyFamilies.chatGlm("c", 4, true, 1).set("position_encoding_2d", "true"),
                        "the first ChatGLM is not supported: its tokens attend to the whole prompt"));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void whatAFamilyDoesNotDoIsRefusedByName(TinyMaker maker, String expected) {
        assertThatThrownBy(() -> spec(maker))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("config.json")
                .hasMessageContaining(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"GLMModel", "GLMForConditionalGeneration", "GLM130B"})
    void bidirectionalGlmIsRefusedWithTheReason(String architecture) {
        assertThatThrownBy(() -> spec(TinyFamilies.glm("glm").set("architectures", "[\"" + architecture + "\"]")))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining(architecture + " is not supported: its tokens attend to the whole prompt");
    }

    static Stream<Arguments> disagreeing() {
        return Stream.of(
                Arguments.of(
                        TinyFamilies.qwen2("q", 4, 2).vector("model.layers.1.self_attn.k_proj.bias", 31, 1),
                        "`model.layers.1.self_attn.k_proj.bias`: expected the shape [32] that config.json gives, found [31]"),
                Arguments.of(
                        TinyFamilies.qwen3("q", 4, 2).vector("model.layers.0.self_attn.q_norm.weight", 64, 1),
                        "`model.layers.0.self_attn.q_norm.weight`: expected the shape [24]"),
                Arguments.of(
                        TinyFamilies.phi3("p", 4, 2).matrix("model.layers.0.self_attn.qkv_proj.weight", 64, 64, 1),
                        "`model.layers.0.self_attn.qkv_proj.weight`: expected the shape [128, 64]"),
                Arguments.of(
                        TinyFamilies.glm("g").biases().matrix("model.layers.1.mlp.gate_up_proj.weight", 96, 64, 1),
                        "`model.layers.1.mlp.gate_up_proj.weight`: expected the shape [192, 64]"),
                Arguments.of(TinyFamilies.glm("g"), "`model.layers.0.self_attn.q_proj.bias` is missing"),
                Arguments.of(
                        TinyFamilies.mixtral("m", 4, 2, 32).set("num_local_experts", 5),
                        "`model.layers.0.block_sparse_moe.gate.weight`: expected the shape [5, 64]"),
                Arguments.of(
                        TinyFamilies.grok("g", 4, 32)
                                .matrix("transformer.decoder_layer.1.moe.3.linear_1.weight", 32, 64, 1),
                        "`transformer.decoder_layer.1.moe.3.linear_1.weight`: expected the shape [64, 32]"),
                Arguments.of(
                        TinyFamilies.gemma("g", 4, 4).set("tie_word_embeddings", "false"),
                        "`lm_head.weight` is missing"));
    }

    @ParameterizedTest
    @MethodSource("disagreeing")
    void weightsThatDisagreeWithTheConfigAreRefusedNamingTheTensor(TinyMaker maker, String expected) {
        ModelFolder folder = ModelFolder.open(maker.build().write(temp.resolve("model")));
        BuildOptions options = new BuildOptions(1, 4096, WeightLayout.STANDARD);
        assertThatThrownBy(() -> new ModelStore(temp.resolve("store"))
                        .build(folder, Precision.FP32, options, BuildProgress.NONE))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining(expected);
    }

    @Test
    void everyFamilyHasArchitecturesOfItsOwn() {
        Map<String, String> owners = new HashMap<>();
        for (DecoderFamily family : DecoderFamily.ALL) {
            for (String architecture : family.architectures()) {
                assertThat(owners.put(architecture, family.name())).isNull();
            }
        }
        assertThat(owners).hasSizeGreaterThanOrEqualTo(DecoderFamily.ALL.size());
    }

    private static DecoderSpec spec(TinyMaker maker) {
        Folder folder = maker.build();
        JsonFile json = JsonFile.parse(Path.of("config.json"), folder.json().getBytes(UTF_8));
        return DecoderFamily.of(json).describe(json);
    }

    /** 0 where there is none. */
    private static List<Integer> windows(DecoderSpec spec) {
        return spec.layers().stream()
                .map(l -> l.attention().scores().window())
                .map((OptionalInt w) -> w.orElse(0))
                .toList();
    }
}
