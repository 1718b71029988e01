package dev.penstock.weights;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What tokenizer_config.json and the template files beside it say, as plain data.
 *
 * @param bosToken text of the begin token
 * @param eosToken text of the end token
 * @param unkToken text of the unknown token
 * @param padToken text of the padding token
 * @param addBosToken whether encoding puts the begin token first
 * @param addEosToken whether encoding puts the end token last
 * @param tokenizerClass class name in Hugging Face transformers
 * @param chatTemplates chat templates by name, in order; the unnamed one is {@link #DEFAULT_TEMPLATE}
 * @param addedTokens tokens beside the vocabulary, by id
 */
public record TokenizerConfig(
        Optional<String> bosToken,
        Optional<String> eosToken,
        Optional<String> unkToken,
        Optional<String> padToken,
        Optional<Boolean> addBosToken,
        Optional<Boolean> addEosToken,
        Optional<String> tokenizerClass,
        Map<String, String> chatTemplates,
        Map<Integer, AddedToken> addedTokens) {

    /** Name of the template that is used unless another one is asked for. */
    public static final String DEFAULT_TEMPLATE = "default";

    /** Takes the place of the default one in conversations with tools. */
    public static final String TOOL_TEMPLATE = "tool_use";

    private static final int MAX_BYTES = 32 << 20;
    private static final int MAX_TEMPLATE_BYTES = 1 << 20;

    /**
     * A token beside the vocabulary.
     *
     * @param content its text
     * @param special whether it is a control token
     */
    public record AddedToken(String content, boolean special) {}

    /** Copies the maps, keeping their order. */
    public TokenizerConfig {
        chatTemplates = Collections.unmodifiableMap(new LinkedHashMap<>(chatTemplates));
        addedTokens = Collections.unmodifiableMap(new TreeMap<>(addedTokens));
    }

    /** Reads what there is in a folder; a folder without any of the files gives an empty record. */
    static TokenizerConfig read(Path folder) {
        Path file = folder.resolve("tokenizer_config.json");
        JsonFile config = Files.exists(file)
                ? JsonFile.read(file, MAX_BYTES)
                : JsonFile.parse(file, "{}".getBytes(StandardCharsets.UTF_8));
        return new TokenizerConfig(
                token(config, "bos_token"),
                token(config, "eos_token"),
                token(config, "unk_token"),
                token(config, "pad_token"),
                config.optionalBoolean("add_bos_token"),
                config.optionalBoolean("add_eos_token"),
                config.optionalString("tokenizer_class"),
                templates(folder, config),
                addedTokens(config));
    }

    /** A token is written as its text, or as an object with the text in {@code content}. */
    private static Optional<String> token(JsonFile config, String name) {
        @Nullable JsonNode value = config.get(name);
        return value != null && value.isObject()
                ? config.object(name).flatMap(t -> t.optionalString("content"))
                : config.optionalString(name);
    }

    /** A template file takes precedence over the member, as in transformers. */
    private static Map<String, String> templates(Path folder, JsonFile config) {
        Map<String, String> templates = new LinkedHashMap<>();
        @Nullable JsonNode member = config.get("chat_template");
        if (member != null && member.isArray()) {
            for (JsonNode item : member) {
                JsonNode name = item.path("name");
                JsonNode template = item.path("template");
                if (!name.isTextual() || !template.isTextual()) {
                    throw config.wrong("chat_template", "a string, or a list of objects with name and template", item);
                }
                templates.put(name.textValue(), template.textValue());
            }
        } else {
            config.optionalString("chat_template").ifPresent(t -> templates.put(DEFAULT_TEMPLATE, t));
        }
        Path json = folder.resolve("chat_template.json");
        if (Files.exists(json)) {
            JsonFile.read(json, MAX_TEMPLATE_BYTES)
                    .optionalString("chat_template")
                    .ifPresent(t -> templates.put(DEFAULT_TEMPLATE, t));
        }
        Path jinja = folder.resolve("chat_template.jinja");
        if (Files.exists(jinja)) {
            templates.put(DEFAULT_TEMPLATE, text(jinja));
        }
        return templates;
    }

    private static String text(Path file) {
        try {
            if (Files.size(file) > MAX_TEMPLATE_BYTES) {
                throw ModelFolderException.in(file, "expected at most " + MAX_TEMPLATE_BYTES + " bytes");
            }
            return Files.readString(file);
        } catch (IOException e) {
            throw ModelFolderException.in(file, "can't be read as UTF-8: " + e, e);
        }
    }

    private static Map<Integer, AddedToken> addedTokens(JsonFile config) {
        Map<Integer, AddedToken> tokens = new TreeMap<>();
        @Nullable JsonNode decoder = config.get("added_tokens_decoder");
        if (decoder == null) {
            return tokens;
        }
        decoder.properties().forEach(e -> {
            JsonNode content = e.getValue().path("content");
            if (!content.isTextual() || !e.getKey().matches("\\d{1,9}")) {
                throw config.wrong("added_tokens_decoder", "token ids with objects that have content", e);
            }
            tokens.put(
                    Integer.parseInt(e.getKey()),
                    new AddedToken(
                            content.textValue(), e.getValue().path("special").asBoolean(false)));
        });
        return tokens;
    }
}
