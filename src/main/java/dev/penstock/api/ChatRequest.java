package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The body of {@code POST /v1/chat/completions}, read and checked.
 *
 * @param messages at least one; each a map with {@code role} and {@code content} (both strings), as templates take them
 * @param templateVariables what else the template sees
 * @param addGenerationPrompt whether the template opens the assistant's turn
 * @param addSpecialTokens whether the tokenizer adds its own begin token to what the template wrote
 */
record ChatRequest(
        String model,
        List<Map<String, Object>> messages,
        Map<String, @Nullable Object> templateVariables,
        boolean addGenerationPrompt,
        boolean addSpecialTokens,
        SamplingFields sampling,
        int n,
        StreamFields streaming) {

    private static final int MAX_TOP_LOGPROBS = 20;
    static final int MAX_CHOICES = 128;

    static ChatRequest read(JsonObject body) {
        String model = body.requiredText("model");
        List<Map<String, Object>> messages = messages(body);
        Refusals.checkChat(body);
        OptionalInt newer = body.integer("max_completion_tokens", 1, Integer.MAX_VALUE);
        OptionalInt older = body.integer("max_tokens", 1, Integer.MAX_VALUE);
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        String effort = body.text("reasoning_effort");
        if (effort != null) {
            variables.put("reasoning_effort", effort);
        }
        JsonObject kwargs = body.object("chat_template_kwargs");
        if (kwargs != null) {
            variables.putAll(kwargs.plain());
        }
        return new ChatRequest(
                model,
                messages,
                variables,
                body.flag("add_generation_prompt", true),
                body.flag("add_special_tokens", false),
                SamplingFields.read(body, newer.isPresent() ? newer : older, topLogprobs(body)),
                body.integer("n", 1, MAX_CHOICES).orElse(1),
                StreamFields.read(body));
    }

    private static OptionalInt topLogprobs(JsonObject body) {
        boolean wanted = body.flag("logprobs", false);
        OptionalInt top = body.integer("top_logprobs", 0, MAX_TOP_LOGPROBS);
        if (!wanted && top.orElse(0) > 0) {
            throw ApiException.badField("top_logprobs", "'top_logprobs' needs 'logprobs' to be true.");
        }
        return wanted ? OptionalInt.of(top.orElse(0)) : OptionalInt.empty();
    }

    private static List<Map<String, Object>> messages(JsonObject body) {
        List<JsonNode> elements = body.array("messages");
        if (elements == null) {
            throw body.missing("messages");
        }
        if (elements.isEmpty()) {
            throw ApiException.badField("messages", "'messages' must have at least one message.");
        }
        List<Map<String, Object>> messages = new ArrayList<>(elements.size());
        for (int i = 0; i < elements.size(); i++) {
            messages.add(message(JsonObject.object(elements.get(i), "messages[" + i + "]")));
        }
        return List.copyOf(messages);
    }

    private static Map<String, Object> message(JsonObject message) {
        String role = message.requiredText("role");
        Map<String, Object> map = new LinkedHashMap<>();
        map.put(
                "role",
                switch (role) {
                    // Templates know the older name of the developer's instructions.
                    case "system", "developer" -> "system";
                    case "user", "assistant" -> role;
                    case "tool", "function" ->
                        throw ApiException.unsupported(
                                message.path("role"), "Results of tools are not supported by this server.");
                    default ->
                        throw ApiException.badField(
                                message.path("role"),
                                "'" + message.path("role") + "' must be system, developer, user or assistant.");
                });
        for (String calls : List.of("tool_calls", "function_call")) {
            JsonNode value = message.get(calls);
            if (value != null && !value.isEmpty()) {
                throw ApiException.unsupported(message.path(calls), "Calls of tools are not supported by this server.");
            }
        }
        map.put("content", content(message, role));
        for (String further : List.of("name", "reasoning_content")) {
            String value = message.text(further);
            if (value != null) {
                map.put(further, value);
            }
        }
        return Map.copyOf(map);
    }

    private static String content(JsonObject message, String role) {
        JsonNode content = message.get("content");
        if (content == null) {
            String refusal = role.equals("assistant") ? message.text("refusal") : null;
            if (refusal == null) {
                throw message.missing("content");
            }
            return refusal;
        }
        String path = message.path("content");
        if (content.isTextual()) {
            return JsonObject.text(content, path);
        }
        if (!content.isArray()) {
            throw JsonObject.wrongType(path, "a string or an array of parts", content);
        }
        List<String> texts = new ArrayList<>(content.size());
        for (int i = 0; i < content.size(); i++) {
            texts.add(part(JsonObject.object(content.get(i), path + "[" + i + "]")));
        }
        return String.join("\n", texts);
    }

    private static String part(JsonObject part) {
        String type = part.requiredText("type");
        return switch (type) {
            case "text" -> part.requiredText("text");
            case "refusal" -> part.requiredText("refusal");
            default ->
                throw ApiException.unsupported(
                        part.path("type"), "Parts of this type are not supported by this server, only text.");
        };
    }
}
