package dev.penstock.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.model.EncoderTask;
import dev.penstock.model.Pooling;
import dev.penstock.model.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EncoderFolderTest {
    private static final String CONFIG =
            "{'architectures': ['%s'], 'model_type': '%s', 'hidden_size': 8, 'max_position_embeddings': 30%s}";

    @TempDir
    private Path folder;

    private void write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.writeString(file, text.replace('\'', '"'));
    }

    /** A folder with graphs, which are not looked into. */
    private void graphs(String architecture, String type, String more) throws IOException {
        write("config.json", CONFIG.formatted(architecture, type, more));
        write("onnx/model.onnx", "");
        write("onnx/model_quantized.onnx", "");
        write("onnx/model_O3.onnx", "");
    }

    private void modules(String pooling, String more) throws IOException {
        write(
                "modules.json",
                "[{'type': 'sentence_transformers.models.Transformer', 'path': ''}, {'type': 'sentence_transformers.models.Pooling', 'path': '1_Pooling'}"
                        + more + "]");
        write("1_Pooling/config.json", pooling);
    }

    private EncoderFolder find() {
        return EncoderFolder.find(folder, Optional.empty()).orElseThrow();
    }

    private void assertRefused(String message) {
        assertThatThrownBy(this::find).isInstanceOf(ModelFolderException.class).hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource({
        "BertModel, bert, EMBED, 30",
        "BertForMaskedLM, bert, EMBED, 30",
        "XLMRobertaModel, xlm-roberta, EMBED, 28",
        "MPNetForMaskedLM, mpnet, EMBED, 28",
        "ModernBertModel, modernbert, EMBED, 30",
        "NewModel, new, EMBED, 30",
        "BertForSequenceClassification, bert, RERANK, 30",
        "XLMRobertaForSequenceClassification, xlm-roberta, RERANK, 28"
    })
    void theArchitectureTellsWhatItIsFor(String architecture, String type, EncoderTask task, int positions)
            throws IOException {
        graphs(architecture, type, ", 'pad_token_id': 1, 'id2label': {'0': 'LABEL_0'}");

        EncoderFolder found = find();

        assertThat(found.task()).isEqualTo(task);
        assertThat(found.positions()).isEqualTo(positions);
        assertThat(found.contextLength()).isEqualTo(positions);
        assertThat(found.padToken()).isEqualTo(1);
    }

    @Test
    void aDecodersFolderIsNoEncodersUnlessThatIsAskedFor() {
        Path decoder = TinyModels.gqa().write(folder);

        assertThat(EncoderFolder.find(decoder, Optional.empty())).isEmpty();
        assertThat(EncoderFolder.find(decoder, Optional.of(EncoderTask.EMBED)))
                .get()
                .extracting(EncoderFolder::pooling)
                .isEqualTo(Pooling.LAST);
        assertThatThrownBy(() -> EncoderFolder.find(decoder, Optional.of(EncoderTask.RERANK)))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("a reranker that is a decoder");
    }

    @Test
    void aDecoderThatWasSavedWithoutItsHeadIsAnEncoderUnderNamesThatLackTheirPrefix() throws IOException {
        Path decoder = TinyModels.gqa().write(folder);
        Path config = decoder.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("LlamaForCausalLM", "LlamaModel"));
        Path weights = decoder.resolve("model.safetensors");
        byte[] all = Files.readAllBytes(weights);
        // As long as before, so that offsets stay.
        String text = new String(all, java.nio.charset.StandardCharsets.ISO_8859_1).replace("\"model.", "      \"");
        Files.write(weights, text.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));

        EncoderFolder found = find();

        Variant variant = new ModelStore(folder.resolve("store"))
                .build(
                        ((EncoderFolder.Decoder) found.weights()).model(),
                        Precision.FP32,
                        BuildOptions.defaults(),
                        BuildProgress.NONE);
        assertThat(found.task()).isEqualTo(EncoderTask.EMBED);
        assertThat(variant.graph(dev.penstock.model.KvType.FP32)).exists();
    }

    @ParameterizedTest
    @ValueSource(strings = {"is_causal\": false", "use_bidirectional_attention\": true"})
    void aDecoderWhoseTokensSeeWhatComesAfterThemIsRefused(String flag) throws IOException {
        Path decoder = TinyModels.gqa().write(folder);
        Path config = decoder.resolve("config.json");
        Files.writeString(config, Files.readString(config).replaceFirst("\\{", "{\"" + flag + ", "));

        assertThatThrownBy(() -> EncoderFolder.find(decoder, Optional.of(EncoderTask.EMBED)))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("what comes after them");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{'pooling_mode_cls_token': true, 'pooling_mode_mean_tokens': false} | CLS",
                "{'pooling_mode_cls_token': false, 'pooling_mode_mean_tokens': true} | MEAN",
                "{'pooling_mode_lasttoken': true, 'pooling_mode_mean_tokens': false} | LAST",
                "{'pooling_mode': 'cls'} | CLS"
            })
    void modulesTellThePooling(String config, Pooling pooling) throws IOException {
        graphs("BertModel", "bert", "");
        modules(config, "");

        assertThat(find().pooling()).isEqualTo(pooling);
        assertThat(find().normalized()).isFalse();
    }

    @Test
    void aNormalizeModuleScalesAndTheProposedLengthBounds() throws IOException {
        graphs("BertModel", "bert", "");
        modules(
                "{'pooling_mode': 'mean'}",
                ", {'type': 'sentence_transformers.models.Normalize', 'path': '2_Normalize'}");
        write("sentence_bert_config.json", "{'max_seq_length': 16}");

        assertThat(find().normalized()).isTrue();
        assertThat(find().contextLength()).isEqualTo(16);
        assertThat(find().positions()).isEqualTo(30);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{'pooling_mode_max_tokens': true} | one way of pooling",
                "{'pooling_mode_cls_token': true, 'pooling_mode_mean_tokens': true} | one way of pooling",
                "{'pooling_mode_cls_token': 7} | true or false",
                "[] | a JSON object"
            })
    void poolingThatIsNotUnderstoodIsRefused(String config, String message) throws IOException {
        graphs("BertModel", "bert", "");
        modules(config, "");

        assertRefused(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{} | a JSON array",
                "[7] | a JSON array",
                "[{'type': 'sentence_transformers.models.Dense', 'path': '2_Dense'}] | Dense",
                "[{'type': 'Pooling', 'path': '../..'}] | the name of a folder",
                "[{'type': 'Pooling'}] | the name of a folder",
                "[{'type': 'Pooling', 'path': 'nowhere'}] | nowhere"
            })
    void modulesThatAreNotUnderstoodAreRefused(String modules, String message) throws IOException {
        graphs("BertModel", "bert", "");
        write("modules.json", modules);

        assertRefused(message);
    }

    @Test
    void theMostExactGraphIsTakenWhereNoPrecisionIsAskedFor() throws IOException {
        graphs("BertModel", "bert", "");
        EncoderFolder.Weights weights = find().weights();

        assertThat(weights.precision(Optional.empty())).isEqualTo(Precision.FP32);
        assertThat(weights.precision(Optional.of(Precision.INT8))).isEqualTo(Precision.INT8);
        assertThatThrownBy(() -> weights.precision(Optional.of(Precision.INT4)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("fp32, int8");
    }

    @Test
    void anEncoderOfAnotherFamilyNeedsGraphs() throws IOException {
        write("config.json", CONFIG.formatted("ModernBertModel", "modernbert", ""));
        write("model.safetensors", "");

        assertRefused("expected ONNX graphs");
    }

    @Test
    void whatBertCanDoAndOursCannotIsRefused() throws IOException {
        String sizes = ", 'num_hidden_layers': 1, 'num_attention_heads': 2, 'intermediate_size': 8, 'vocab_size': 9";
        Files.write(folder.resolve("model.safetensors"), TinyModels.safetensors("{}", new byte[0]));
        write(
                "config.json",
                CONFIG.formatted("BertModel", "bert", sizes + ", 'position_embedding_type': 'relative_key'"));
        assertRefused("relative_key");
        write("config.json", CONFIG.formatted("BertModel", "bert", sizes + ", 'hidden_act': 'relu'"));
        assertRefused("relu");
    }
}
