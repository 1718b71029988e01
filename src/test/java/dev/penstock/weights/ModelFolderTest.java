package dev.penstock.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelFolderTest {
    @TempDir
    Path temp;

    @Test
    void configIsReadIntoTheShape() {
        DecoderSpec spec =
                HuggingFaceFolder.read(TinyModels.headDim().write(temp)).spec();
        assertThat(spec.shape().family()).isEqualTo("llama");
        assertThat(spec.shape().hiddenSize()).isEqualTo(64);
        assertThat(spec.shape().heads()).isEqualTo(4);
        assertThat(spec.shape().kvHeads()).isEqualTo(2);
        assertThat(spec.shape().headSize()).isEqualTo(32);
        assertThat(spec.shape().innerSize()).isEqualTo(128);
        assertThat(spec.shape().vocabSize()).isEqualTo(256);
        assertThat(spec.shape().contextLength()).isEqualTo(128);
        assertThat(spec.tiedHead()).isFalse();
        assertThat(spec.norm().epsilon()).isEqualTo(1e-5);
        assertThat(spec.layers()).hasSize(2);
    }

    @Test
    void absentMembersHaveTheirDefaults() throws IOException {
        TinyModels.mha().write(temp);
        Files.writeString(temp.resolve("config.json"), """
                {"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "intermediate_size": 96,
                 "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 256}""");
        DecoderSpec spec = HuggingFaceFolder.read(temp).spec();
        assertThat(spec.shape().kvHeads()).isEqualTo(4);
        assertThat(spec.shape().headSize()).isEqualTo(16);
        assertThat(spec.shape().contextLength()).isEqualTo(2048);
        assertThat(spec.norm().epsilon()).isEqualTo(1e-6);
        assertThat(rotary(spec)).isEqualTo(new RotaryEmbedding(10_000, new RopeScaling.None(), 16, false));
    }

    @Test
    void ropeParametersOfTransformersFiveAreRead() throws IOException {
        TinyModels.mha().write(temp);
        setMember(
                "rope_parameters",
                "{\"rope_type\": \"llama3\", \"rope_theta\": 500000.0, \"factor\": 32.0, \"low_freq_factor\": 1.0,"
                        + " \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 8192}");
        assertThat(rotary(HuggingFaceFolder.read(temp).spec()))
                .isEqualTo(new RotaryEmbedding(500_000, new RopeScaling.Llama3(32, 1, 4, 8192), 16, false));
    }

    @Test
    void llama3FrequenciesAreThoseOfTheReference() {
        // LLaMA 3.2 1B; expected values from the formula in the LLaMA 3.1 release, computed by hand for three pairs.
        double[] f =
                new RotaryEmbedding(500_000, new RopeScaling.Llama3(32, 1, 4, 8192), 64, false).frequencies(131_072);
        assertThat(f[0]).isEqualTo(1);
        assertThat(f[31]).isCloseTo(Math.pow(500_000, -62.0 / 64) / 32, within(1e-15));
        double middle = Math.pow(500_000, -34.0 / 64);
        double smooth = (8192 * middle / (2 * Math.PI) - 1) / 3;
        assertThat(smooth).isBetween(0.0, 1.0);
        assertThat(f[17]).isCloseTo((1 - smooth) * middle / 32 + smooth * middle, within(1e-15));
    }

    @Test
    void generationConfigWinsOverConfig() {
        GenerationConfig generation =
                ModelFolder.open(TinyModels.mha().write(temp)).generation();
        assertThat(generation.bosTokens()).containsExactly(1);
        assertThat(generation.eosTokens()).containsExactly(2, 3);
        assertThat(generation.temperature()).isEqualTo(OptionalDouble.empty());
    }

    @Test
    void eosTokensComeFromConfigWhereThereIsNoGenerationConfig() throws IOException {
        TinyModels.mha().write(temp);
        Files.delete(temp.resolve("generation_config.json"));
        assertThat(ModelFolder.open(temp).generation().eosTokens()).containsExactly(2);
    }

    @Test
    void tokenizerConfigIsReadInBothSpellings() throws IOException {
        TinyModels.mha().write(temp);
        Files.writeString(temp.resolve("tokenizer_config.json"), """
                {"bos_token": "<s>", "eos_token": {"__type": "AddedToken", "content": "</s>"}, "add_bos_token": true,
                 "added_tokens_decoder": {"7": {"content": "<x>", "special": true}},
                 "chat_template": [{"name": "default", "template": "A"}, {"name": "tool_use", "template": "B"}],
                 "model_max_length": 1000000000000000019884624838656}""");
        TokenizerConfig tokenizer = ModelFolder.open(temp).tokenizer();
        assertThat(tokenizer.bosToken()).contains("<s>");
        assertThat(tokenizer.eosToken()).contains("</s>");
        assertThat(tokenizer.addBosToken()).contains(true);
        assertThat(tokenizer.addedTokens()).isEqualTo(Map.of(7, new TokenizerConfig.AddedToken("<x>", true)));
        assertThat(tokenizer.chatTemplates()).containsExactly(Map.entry("default", "A"), Map.entry("tool_use", "B"));
    }

    @Test
    void templateFileWinsOverTheMember() throws IOException {
        TinyModels.mha().write(temp);
        Files.writeString(temp.resolve("tokenizer_config.json"), "{\"chat_template\": \"old\"}");
        Files.writeString(temp.resolve("chat_template.jinja"), "new\n");
        assertThat(ModelFolder.open(temp).tokenizer().chatTemplates()).containsExactly(Map.entry("default", "new\n"));
    }

    @Test
    void folderWithoutTokenizerFilesStillOpens() {
        ModelFolder folder = ModelFolder.open(TinyModels.mha().write(temp));
        assertThat(folder.tokenizerJson()).isEmpty();
        assertThat(folder.tokenizerModel()).isEmpty();
        assertThat(folder.tokenizer().chatTemplates()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            hidden_size | 1000000000 | a whole number from 1 to 262144
            hidden_size | 64.5 | a whole number
            hidden_size | "64" | a whole number
            hidden_size | null | is missing
            num_hidden_layers | -1 | a whole number from 1 to 1024
            num_hidden_layers | 2000000 | a whole number from 1 to 1024
            num_attention_heads | 0 | a whole number from 1
            hidden_size | 66 | a divisor of hidden_size
            num_key_value_heads | 3 | a divisor of num_attention_heads
            vocab_size | 99999999999999 | a whole number from 1 to
            max_position_embeddings | 1e30 | a whole number from 1 to
            head_dim | 15 | an even number from 8 to 256
            head_dim | 512 | an even number from 8 to 256
            num_hidden_layers | 1000000000000 | a whole number from 1 to 1024
            num_attention_heads | -8 | a whole number from 1
            head_dim | 0 | a whole number from 1
            intermediate_size | -1 | a whole number from 1
            rms_norm_eps | NaN | a number from
            rms_norm_eps | "tiny" | a number from
            rope_theta | -1 | a number from
            hidden_act | "gelu" | silu
            attention_bias | true | not supported
            mlp_bias | true | not supported
            rope_scaling | {"type": "dynamic", "factor": 2.0} | default, linear, llama3
            rope_scaling | {"type": "linear"} | `rope_scaling.factor` is missing
            rope_scaling | {"type": "linear", "factor": 0.5} | a number from 1
            rope_scaling | [1] | an object
            quantization_config | {"quant_method": "gptq"} | weights that are not quantised
            architectures | ["MambaForCausalLM"] | LlamaForCausalLM, MistralForCausalLM
            architectures | [] | LlamaForCausalLM
            architectures | "LlamaForCausalLM" | an array of strings
            eos_token_id | "two" | token id
            """)
    void absurdConfigIsRefusedNamingMemberAndExpectation(String member, String value, String expected)
            throws IOException {
        TinyModels.mha().write(temp);
        Files.delete(temp.resolve("generation_config.json"));
        setMember(member, value);
        assertThatThrownBy(() -> ModelFolder.open(temp))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("config.json")
                .hasMessageContaining("`")
                .hasMessageContaining(expected);
    }

    @Test
    void deepJsonIsRefused() throws IOException {
        TinyModels.mha().write(temp);
        setMember("deep", "[".repeat(100_000) + "]".repeat(100_000));
        assertRefused("depth");
    }

    @Test
    void hugeConfigIsRefused() throws IOException {
        TinyModels.mha().write(temp);
        setMember("padding", "\"" + "x".repeat(5 << 20) + "\"");
        assertRefused("at most");
    }

    @Test
    void brokenJsonIsRefusedWithItsPlace() throws IOException {
        TinyModels.mha().write(temp);
        Files.writeString(temp.resolve("config.json"), "{\"hidden_size\": }");
        assertRefused("line: 1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"missing", "config.json"})
    void whatIsNoModelFolderIsRefused(String name) throws IOException {
        Files.writeString(temp.resolve("config.json"), "{}");
        assertThatThrownBy(() -> ModelFolder.open(temp.resolve(name)))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("expected a folder with a model");
    }

    @ParameterizedTest
    @CsvSource({"pytorch_model.bin, convert them", "model.Q4_0.gguf, a GGUF file", "other.safetensors, none"})
    void folderWithoutUsableWeightsSaysWhatToDo(String file, String advice) throws IOException {
        Files.writeString(temp.resolve("config.json"), TinyModels.mha().config());
        Files.write(temp.resolve(file), new byte[100]);
        assertThatThrownBy(() -> ModelFolder.open(temp))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("expected model.safetensors")
                .hasMessageContaining(advice);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../outside.safetensors",
                "/etc/model.safetensors",
                "sub/model.safetensors",
                "sub/../../outside.safetensors",
                "..\\\\outside.safetensors",
                "..",
                "pickle.bin"
            })
    void indexMayNotLeadOutOfTheFolder(String name) throws IOException {
        TinyModels.mha().write(temp);
        Files.writeString(temp.resolve("model.safetensors.index.json"), "{\"weight_map\": {\"a\": \"" + name + "\"}}");
        assertRefused("names of .safetensors files in the same folder");
    }

    @Test
    void missingShardIsNamed() throws IOException {
        TinyModels.mha().shards(3).write(temp);
        Files.delete(temp.resolve("model-00002-of-00003.safetensors"));
        assertRefused("model-00002-of-00003.safetensors: missing");
    }

    @Test
    void indexThatPlacesATensorInTheWrongShardIsRefused() throws IOException {
        TinyModels.mha().shards(2).write(temp);
        Path index = temp.resolve("model.safetensors.index.json");
        Files.writeString(
                index,
                Files.readString(index)
                        .replace(
                                "\"model.norm.weight\": \"model-00002-of-00002",
                                "\"model.norm.weight\": \"model-00001-of-00002"));
        HuggingFaceFolder folder = HuggingFaceFolder.read(temp);
        assertThatThrownBy(folder::openWeights)
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("model-00001-of-00002.safetensors")
                .hasMessageContaining("`model.norm.weight`");
    }

    @Test
    void tensorInTwoShardsIsRefused() throws IOException {
        TinyModels.mha().write(temp);
        Files.copy(temp.resolve("model.safetensors"), temp.resolve("model-2.safetensors"));
        HuggingFaceFolder folder = HuggingFaceFolder.read(temp);
        assertThatThrownBy(folder::openWeights)
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("too");
    }

    @ParameterizedTest
    @ValueSource(strings = {"F32", "F16", "BF16"})
    void weightsAreConvertedFromTheirFormat(String dtype) {
        TinyModels.Tiny tiny = TinyModels.gqa().dtype(dtype).shards(2);
        HuggingFaceFolder folder = HuggingFaceFolder.read(tiny.write(temp));
        try (WeightSource weights = folder.openWeights()) {
            tiny.tensors().forEach((name, tensor) -> {
                weights.require(
                        name, Arrays.stream(tensor.shape()).asLongStream().toArray());
                float[] read = new float[tensor.values().length + 1];
                weights.read(name, 3, read, 1, tensor.values().length - 3);
                for (int i = 3; i < tensor.values().length; i++) {
                    float expected = switch (dtype) {
                        case "F16" -> Float.float16ToFloat(Float.floatToFloat16(tensor.values()[i]));
                        case "BF16" -> Float.intBitsToFloat(Float.floatToRawIntBits(tensor.values()[i]) & 0xffff0000);
                        default -> tensor.values()[i];
                    };
                    assertThat(read[i - 2]).isEqualTo(expected);
                }
            });
        }
    }

    @Test
    void missingTensorAndWrongShapeAreNamed() {
        try (WeightSource weights =
                HuggingFaceFolder.read(TinyModels.mha().write(temp)).openWeights()) {
            assertThat(weights.has("model.norm.weight")).isTrue();
            assertThat(weights.has("nothing")).isFalse();
            assertThatThrownBy(() -> weights.require("nothing", 3, 4))
                    .isInstanceOf(ModelFolderException.class)
                    .hasMessageContaining("`nothing` is missing: expected one of shape [3, 4]");
            assertThatThrownBy(() -> weights.require("model.norm.weight", 65))
                    .isInstanceOf(ModelFolderException.class)
                    .hasMessageContaining("model.safetensors: tensor `model.norm.weight`")
                    .hasMessageContaining("[65]")
                    .hasMessageContaining("found [64]");
        }
    }

    @Test
    void sharedStoriesModelOpens() {
        Path stories = Path.of(System.getProperty("penstock.shared", "../shared"), "models", "stories260k");
        Assumptions.assumeTrue(Files.isDirectory(stories));
        HuggingFaceFolder folder = HuggingFaceFolder.read(stories);
        assertThat(folder.spec().shape().headSize()).isEqualTo(8);
        assertThat(folder.spec().shape().innerSize()).isEqualTo(172);
        assertThat(folder.tokenizer().eosToken()).isEqualTo(Optional.of("</s>"));
        assertThat(folder.generation().eosTokens()).isEqualTo(List.of(2));
    }

    private static RotaryEmbedding rotary(DecoderSpec spec) {
        return spec.layers().getFirst().attention().rotary();
    }

    private void assertRefused(String expected) {
        assertThatThrownBy(() -> ModelFolder.open(temp))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining(expected);
    }

    /** Replaces the member of config.json, or adds it. */
    private void setMember(String name, String json) throws IOException {
        Path config = temp.resolve("config.json");
        String without = Files.readString(config)
                .strip()
                .replaceAll("\"" + name + "\":\\s*(\\[[^]]*]|\"[^\"]*\"|[^,}]*),?", "")
                .replaceAll(",\\s*}$", "}");
        Files.writeString(config, without.substring(0, without.length() - 1) + ", \"" + name + "\": " + json + "}");
    }
}
