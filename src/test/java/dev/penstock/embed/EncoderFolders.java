package dev.penstock.embed;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes folders of tiny encoders as Optimum and sentence-transformers lay them out. */
public final class EncoderFolders {
    /** The words that the tokenizer knows, from token 4 on. */
    public static final String[] WORDS = {"the", "fox", "dog", "eats", "sleeps", "mouse", "red", "##s"};

    private EncoderFolders() {}

    /** Writes a text file, and the folders that it is in. */
    public static void write(Path folder, String name, String text) {
        try {
            Path file = folder.resolve(name);
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.writeString(file, text.replace('\'', '"'));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A folder that gives vectors, with its modules: the first token's vector at length 1. */
    public static Path embedder(Path folder, TinyEncoder encoder) {
        config(folder, "BertModel", "");
        write(folder, "modules.json", """
                [{'idx': 0, 'name': '0', 'path': '', 'type': 'sentence_transformers.models.Transformer'},
                 {'idx': 1, 'name': '1', 'path': '1_Pooling', 'type': 'sentence_transformers.models.Pooling'},
                 {'idx': 2, 'name': '2', 'path': '2_Normalize', 'type': 'sentence_transformers.models.Normalize'}]
                """);
        write(folder, "1_Pooling/config.json", """
                {'word_embedding_dimension': 8, 'pooling_mode_cls_token': true, 'pooling_mode_mean_tokens': false,
                 'pooling_mode_max_tokens': false, 'pooling_mode_mean_sqrt_len_tokens': false}
                """);
        write(folder, "sentence_bert_config.json", "{'max_seq_length': 20, 'do_lower_case': false}");
        encoder.writeVectors(folder.resolve("onnx/model.onnx"), "last_hidden_state");
        return folder;
    }

    /** A folder that gives scores. */
    public static Path reranker(Path folder, TinyEncoder encoder) {
        config(folder, "BertForSequenceClassification", ", 'id2label': {'0': 'LABEL_0'}");
        encoder.writeLogits(folder.resolve("onnx/model.onnx"));
        return folder;
    }

    private static void config(Path folder, String architecture, String more) {
        write(folder, "config.json", """
                {'architectures': ['%s'], 'model_type': 'bert', 'hidden_size': 8, 'pad_token_id': 0,
                 'max_position_embeddings': 30, 'vocab_size': 40 %s}
                """.formatted(architecture, more));
        write(folder, "tokenizer.json", tokenizer());
        try {
            Files.createDirectories(folder.resolve("onnx"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A tokenizer of BERT's kind: words and their endings, pairs with types. */
    private static String tokenizer() {
        StringBuilder vocab = new StringBuilder("'[PAD]': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3");
        for (int i = 0; i < WORDS.length; i++) {
            vocab.append(", '").append(WORDS[i]).append("': ").append(4 + i);
        }
        return """
                {'version': '1.0', 'truncation': null, 'padding': null,
                 'added_tokens': [
                  {'id': 0, 'content': '[PAD]', 'single_word': false, 'lstrip': false, 'rstrip': false, 'normalized': false, 'special': true},
                  {'id': 2, 'content': '[CLS]', 'single_word': false, 'lstrip': false, 'rstrip': false, 'normalized': false, 'special': true},
                  {'id': 3, 'content': '[SEP]', 'single_word': false, 'lstrip': false, 'rstrip': false, 'normalized': false, 'special': true}],
                 'normalizer': {'type': 'BertNormalizer', 'clean_text': true, 'handle_chinese_chars': true, 'strip_accents': null, 'lowercase': true},
                 'pre_tokenizer': {'type': 'BertPreTokenizer'},
                 'post_processor': {'type': 'TemplateProcessing',
                  'single': [{'SpecialToken': {'id': '[CLS]', 'type_id': 0}}, {'Sequence': {'id': 'A', 'type_id': 0}}, {'SpecialToken': {'id': '[SEP]', 'type_id': 0}}],
                  'pair': [{'SpecialToken': {'id': '[CLS]', 'type_id': 0}}, {'Sequence': {'id': 'A', 'type_id': 0}}, {'SpecialToken': {'id': '[SEP]', 'type_id': 0}},
                           {'Sequence': {'id': 'B', 'type_id': 1}}, {'SpecialToken': {'id': '[SEP]', 'type_id': 1}}],
                  'special_tokens': {'[CLS]': {'id': '[CLS]', 'ids': [2], 'tokens': ['[CLS]']}, '[SEP]': {'id': '[SEP]', 'ids': [3], 'tokens': ['[SEP]']}}},
                 'decoder': {'type': 'WordPiece', 'prefix': '##', 'cleanup': true},
                 'model': {'type': 'WordPiece', 'unk_token': '[UNK]', 'continuing_subword_prefix': '##', 'max_input_chars_per_word': 100, 'vocab': {%s}}}
                """.formatted(vocab);
    }
}
