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

    /** By field, the values that ask for nothing. */
    private static final Map<String, Predicate<JsonNode>> BOTH = new LinkedHashMap<>();

    private static final Map<String, Predicate<JsonNode>> CHAT = new LinkedHashMap<>();

    private static final Map<String, Predicate<JsonNode>> RESPONSE = new LinkedHashMap<>();

    private static final Map<String, Predicate<JsonNode>> MESSAGES = new LinkedHashMap<>();

    static {
        // Conversations are kept by /v1/responses alone.
        BOTH.put("store", NOT_FALSE);
        BOTH.put("moderation", ANY);
        // vLLM
        BOTH.put("bad_words", NOT_EMPTY);
        BOTH.put("allowed_token_ids", ANY);
        BOTH.put("include_stop_str_in_output", NOT_FALSE);
        BOTH.put("skip_special_tokens", NOT_TRUE);
        BOTH.put("use_beam_search", NOT_FALSE);
        BOTH.put("length_penalty", number(1));
        // llama.cpp
        BOTH.put("mirostat", number(0));
        BOTH.put("typical_p", number(1));
        BOTH.put("dynatemp_range", number(0));
        BOTH.put("xtc_probability", number(0));
        BOTH.put("dry_multiplier", number(0));

        CHAT.put("audio", ANY);
        CHAT.put(
                "modalities",
                value -> value.isArray()
                        && value.size() == 1
                        && value.get(0).asText().equals("text"));
        CHAT.put("web_search_options", ANY);
        CHAT.put("verbosity", value -> oneOf(value, "medium"));
        CHAT.put("chat_template", ANY);
        CHAT.put("continue_final_message", NOT_FALSE);

        RESPONSE.putAll(BOTH);
        RESPONSE.remove("store");
        RESPONSE.put("conversation", ANY);
        RESPONSE.put("prompt", ANY);
        RESPONSE.put("context_management", NOT_EMPTY);

        MESSAGES.putAll(BOTH);
        MESSAGES.remove("store");
        MESSAGES.put("mcp_servers", NOT_EMPTY);
        MESSAGES.put("container", ANY);
        MESSAGES.put("context_management", NOT_EMPTY);
    }

    private Refusals() {}

    /** Refuses a chat request that asks for what can't be done. */
    static void checkChat(JsonObject body) {
        check(body, BOTH);
        check(body, CHAT);
        CommonFields.metadata(body);
    }

    /** Refuses a completion request that asks for what can't be done. */
    static void checkCompletion(JsonObject body) {
        check(body, BOTH);
    }

    /** Refuses a response that asks for what can't be done. */
    static void checkResponse(JsonObject body) {
        check(body, RESPONSE);
    }

    /** Refuses a request in Anthropic's form that asks for what can't be done. */
    static void checkMessages(JsonObject body) {
        check(body, MESSAGES);
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
