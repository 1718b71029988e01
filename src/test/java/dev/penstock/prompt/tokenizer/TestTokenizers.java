package dev.penstock.prompt.tokenizer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Small tokenizers of the two kinds that decoder models have, as texts of a tokenizer.json. */
public final class TestTokenizers {
    private static final ObjectMapper JSON = new ObjectMapper();

    private TestTokenizers() {}

    /** LLaMA 3's kind: all bytes, a few merges, added tokens from id 265. */
    public static ObjectNode byteLevel() {
        Map<String, Integer> vocab = new LinkedHashMap<>();
        StringBuilder alphabet = new StringBuilder();
        int next = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean printable = b > 32 && b < 127 || b > 160 && b != 173;
            alphabet.append((char) (printable ? b : next++));
        }
        for (int b = 0; b < 256; b++) {
            vocab.put(alphabet.substring(b, b + 1), b);
        }
        String space = "Ġ";
        List<List<String>> merges = List.of(
                List.of("h", "e"),
                List.of("l", "l"),
                List.of("he", "ll"),
                List.of("hell", "o"),
                List.of(space, "w"),
                List.of(space + "w", "o"),
                List.of("Ã", "©"),
                List.of("ð", "Ł"),
                List.of("Ċ", "Ċ"));
        ObjectNode model = bpe(vocab, merges);
        model.put("byte_fallback", false);

        ObjectNode file = file(model);
        ArrayNode added = file.putArray("added_tokens");
        added(added, 265, "<|begin_of_text|>", true);
        added(added, 266, "<|eot_id|>", true);
        added(added, 267, "<tool_call>", false);
        added(added, 268, "<| é |>", false);
        file.putObject("pre_tokenizer")
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", true);
        begin(file, "<|begin_of_text|>", 265);
        file.putObject("decoder")
                .put("type", "ByteLevel")
                .put("add_prefix_space", true)
                .put("trim_offsets", true)
                .put("use_regex", true);
        return file;
    }

    /** LLaMA 2's kind: a space is ▁, what the vocabulary lacks is spelt in bytes. */
    public static ObjectNode sentencePiece() {
        Map<String, Integer> vocab = new LinkedHashMap<>();
        vocab.put("<unk>", 0);
        vocab.put("<s>", 1);
        vocab.put("</s>", 2);
        for (int b = 0; b < 256; b++) {
            vocab.put("<0x%02X>".formatted(b), vocab.size());
        }
        List<List<String>> merges = List.of(
                List.of("h", "e"),
                List.of("l", "l"),
                List.of("he", "ll"),
                List.of("hell", "o"),
                List.of("▁", "hello"),
                List.of("▁", "w"),
                List.of("▁w", "o"),
                List.of("▁", "▁"));
        for (String piece : "▁ehlowrd".split("")) {
            vocab.put(piece, vocab.size());
        }
        ObjectNode model = bpe(vocab, merges);
        model.put("byte_fallback", true).put("unk_token", "<unk>").put("fuse_unk", true);

        ObjectNode file = file(model);
        ArrayNode added = file.putArray("added_tokens");
        added(added, 0, "<unk>", true);
        added(added, 1, "<s>", true);
        added(added, 2, "</s>", true);
        ObjectNode normalizer = file.putObject("normalizer").put("type", "Sequence");
        ArrayNode normalizers = normalizer.putArray("normalizers");
        normalizers.addObject().put("type", "Prepend").put("prepend", "▁");
        normalizers
                .addObject()
                .put("type", "Replace")
                .put("content", "▁")
                .putObject("pattern")
                .put("String", " ");
        begin(file, "<s>", 1);
        ArrayNode decoders = file.putObject("decoder").put("type", "Sequence").putArray("decoders");
        decoders.addObject()
                .put("type", "Replace")
                .put("content", " ")
                .putObject("pattern")
                .put("String", "▁");
        decoders.addObject().put("type", "ByteFallback");
        decoders.addObject().put("type", "Fuse");
        decoders.addObject()
                .put("type", "Strip")
                .put("content", " ")
                .put("start", 1)
                .put("stop", 0);
        return file;
    }

    private static ObjectNode file(ObjectNode model) {
        ObjectNode file = JSON.createObjectNode().put("version", "1.0");
        file.putObject("truncation")
                .put("direction", "Right")
                .put("max_length", 5)
                .put("strategy", "LongestFirst")
                .put("stride", 0);
        file.putObject("padding")
                .put("direction", "Right")
                .putNull("pad_to_multiple_of")
                .put("pad_id", 0)
                .put("pad_type_id", 0)
                .put("pad_token", "!")
                .putObject("strategy")
                .put("Fixed", 12);
        file.putNull("normalizer");
        file.putNull("pre_tokenizer");
        file.set("model", model);
        return file;
    }

    private static ObjectNode bpe(Map<String, Integer> vocab, List<List<String>> merges) {
        ObjectNode model = JSON.createObjectNode().put("type", "BPE");
        ArrayNode mergesNode = model.putArray("merges");
        for (List<String> merge : merges) {
            vocab.put(String.join("", merge), vocab.size());
            mergesNode.add(String.join(" ", merge));
        }
        model.set("vocab", JSON.valueToTree(vocab));
        return model;
    }

    private static void added(ArrayNode added, int id, String content, boolean special) {
        added.addObject()
                .put("id", id)
                .put("content", content)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", special);
    }

    private static void begin(ObjectNode file, String token, int id) {
        ObjectNode processor = file.putObject("post_processor").put("type", "TemplateProcessing");
        ArrayNode single = processor.putArray("single");
        single.addObject().putObject("SpecialToken").put("id", token).put("type_id", 0);
        single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        processor.putArray("pair").addAll(single);
        ObjectNode special =
                processor.putObject("special_tokens").putObject(token).put("id", token);
        special.putArray("ids").add(id);
        special.putArray("tokens").add(token);
    }
}
