package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Fields that would change the reply and can't be honoured. A value that asks for nothing passes; any other is refused,
 * as a reply that silently lacks what was asked for is worse than none. Fields that stand nowhere here and in no reader
 * are ignored: clients send new ones every month.
 */
final class Refusals {
    private static final Predicate<JsonNode> ANY = value -> false;
    private static final Predicate<JsonNode> NOT_FALSE = value -> value.isBoolean() && !value.booleanValue();
    private static final Predicate<JsonNode> NOT_TRUE = value -> value.isBoolean() && value.booleanValue();
    private static final Predicate<JsonNode> NOT_EMPTY = value -> value.isContainerNode() && value.isEmpty();
    private static final Predicate<JsonNode> NOT_TEXT_FORMAT =
            value -> value.isObject() && value.path("type").asText().equals("text");

    /** By field, the values that ask for nothing. */
    private static final Map<String, Predicate<JsonNode>> BOTH = new LinkedHashMap<>();

    private static final Map<String, Predicate<JsonNode>> CHAT = new LinkedHashMap<>();
    private static final Map<String, Predicate<JsonNode>> COMPLETION = new LinkedHashMap<>();

    static {
        BOTH.put("response_format", NOT_TEXT_FORMAT);
        BOTH.put("store", NOT_FALSE);
        BOTH.put("echo", NOT_FALSE);
        BOTH.put("moderation", ANY);
        // vLLM
        BOTH.put("prompt_logprobs", ANY);
        BOTH.put("guided_json", ANY);
        BOTH.put("guided_regex", ANY);
        BOTH.put("guided_choice", ANY);
        BOTH.put("guided_grammar", ANY);
        BOTH.put("structured_outputs", NOT_EMPTY);
        BOTH.put("bad_words", NOT_EMPTY);
        BOTH.put("allowed_token_ids", ANY);
        BOTH.put("include_stop_str_in_output", NOT_FALSE);
        BOTH.put("skip_special_tokens", NOT_TRUE);
        BOTH.put("use_beam_search", NOT_FALSE);
        BOTH.put("length_penalty", number(1));
        BOTH.put("truncate_prompt_tokens", ANY);
        // llama.cpp
        BOTH.put("grammar", value -> value.isTextual() && value.textValue().isEmpty());
        BOTH.put("json_schema", NOT_EMPTY);
        BOTH.put("mirostat", number(0));
        BOTH.put("typical_p", number(1));
        BOTH.put("dynatemp_range", number(0));
        BOTH.put("xtc_probability", number(0));
        BOTH.put("dry_multiplier", number(0));
        BOTH.put("repeat_penalty", number(1));

        CHAT.put("tool_choice", value -> oneOf(value, "none", "auto"));
        CHAT.put("functions", NOT_EMPTY);
        CHAT.put("function_call", value -> oneOf(value, "none", "auto"));
        CHAT.put("audio", ANY);
        CHAT.put(
                "modalities",
                value -> value.isArray()
                        && value.size() == 1
                        && value.get(0).asText().equals("text"));
        CHAT.put("web_search_options", ANY);
        CHAT.put("verbosity", value -> oneOf(value, "medium"));
        CHAT.put("chat_template", ANY);
        CHAT.put("documents", NOT_EMPTY);
        CHAT.put("continue_final_message", NOT_FALSE);

        COMPLETION.put("suffix", value -> value.isTextual() && value.textValue().isEmpty());
    }

    private Refusals() {}

    /** Refuses a chat request that asks for what can't be done. */
    static void checkChat(JsonObject body) {
        check(body, BOTH);
        check(body, CHAT);
        // Tools are promised not to be called with "none", and then need not be shown to the model.
        JsonNode choice = body.get("tool_choice");
        if (choice == null || !oneOf(choice, "none")) {
            check(body, Map.of("tools", NOT_EMPTY));
        }
    }

    /** Refuses a completion request that asks for what can't be done. */
    static void checkCompletion(JsonObject body, int n) {
        check(body, BOTH);
        check(body, COMPLETION);
        int bestOf = body.integer("best_of", 0, 128).orElse(n);
        if (bestOf > n) {
            throw ApiException.unsupported(
                    "best_of", "'best_of' greater than 'n' is not supported; leave it out or make them equal.");
        }
    }

    private static void check(JsonObject body, Map<String, Predicate<JsonNode>> fields) {
        fields.forEach((name, asksForNothing) -> {
            JsonNode value = body.get(name);
            if (value != null && !asksForNothing.test(value)) {
                throw ApiException.unsupported(
                        name, "This value of '" + name + "' is not supported by this server; leave the field out.");
            }
        });
    }

    private static Predicate<JsonNode> number(double neutral) {
        return value -> value.isNumber() && value.doubleValue() == neutral;
    }

    private static boolean oneOf(JsonNode value, String... words) {
        for (String word : words) {
            if (value.isTextual() && value.textValue().equals(word)) {
                return true;
            }
        }
        return false;
    }
}
