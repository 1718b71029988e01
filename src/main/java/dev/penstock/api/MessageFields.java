package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads the messages of a chat request into the maps that conversations are kept in. */
final class MessageFields {
    private MessageFields() {}

    /**
     * All messages: {@code role}, {@code content} (a string, possibly empty), and where they have it {@code tool_calls} (id, type,
     * function with name and arguments, the latter as JSON text), {@code tool_call_id}, {@code name}, {@code reasoning_content}.
     */
    static List<Map<String, Object>> read(JsonObject body) {
        List<JsonNode> elements = body.array("messages");
        if (elements == null) {
            throw body.missing("messages");
        }
        if (elements.isEmpty()) {
            throw ApiException.badField("messages", "'messages' must have at least one message.");
        }
        List<Map<String, Object>> messages = new ArrayList<>(elements.size());
        for (int i = 0; i < elements.size(); i++) {
            messages.add(message(JsonObject.object(elements.get(i), "messages[" + i + "]"), messages));
        }
        return List.copyOf(messages);
    }

    private static Map<String, Object> message(JsonObject message, List<Map<String, Object>> before) {
        String role = message.requiredText("role");
        Map<String, Object> map = new LinkedHashMap<>();
        map.put(
                "role",
                switch (role) {
                    // Templates know the older name of the developer's instructions.
                    case "system", "developer" -> "system";
                    case "user", "assistant", "tool" -> role;
                    case "function" -> "tool";
                    default ->
                        throw ApiException.badField(
                                message.path("role"),
                                "'" + message.path("role") + "' must be system, developer, user, assistant or tool.");
                });
        List<Map<String, Object>> calls = role.equals("assistant") ? calls(message, before.size()) : List.of();
        map.put("content", content(message, role, !calls.isEmpty()));
        if (!calls.isEmpty()) {
            map.put("tool_calls", calls);
        }
        if (role.equals("tool")) {
            map.put("tool_call_id", message.requiredText("tool_call_id"));
        } else if (role.equals("function")) {
            map.put("tool_call_id", lastCallId(message, before));
        }
        for (String further : List.of("name", "reasoning_content")) {
            String value = message.text(further);
            if (value != null) {
                map.put(further, value);
            }
        }
        return Map.copyOf(map);
    }

    /** The older form of results names a function, and means the call that stands last. */
    private static String lastCallId(JsonObject message, List<Map<String, Object>> before) {
        String name = message.requiredText("name");
        for (int i = before.size() - 1; i >= 0; i--) {
            if (before.get(i).get("tool_calls") instanceof List<?> calls
                    && calls.getLast() instanceof Map<?, ?> call
                    && call.get("function") instanceof Map<?, ?> function
                    && name.equals(function.get("name"))) {
                return String.valueOf(call.get("id"));
            }
        }
        throw ApiException.badField(message.path("name"), "No message before this one calls '" + name + "'.");
    }

    private static List<Map<String, Object>> calls(JsonObject message, int place) {
        List<JsonNode> elements = message.array("tool_calls");
        JsonObject legacy = message.object("function_call");
        if (legacy != null) {
            return List.of(call("call_" + place, legacy));
        }
        if (elements == null) {
            return List.of();
        }
        List<Map<String, Object>> calls = new ArrayList<>();
        for (int i = 0; i < elements.size(); i++) {
            JsonObject call = JsonObject.object(elements.get(i), message.path("tool_calls") + "[" + i + "]");
            String type = call.text("type");
            if (type != null && !type.equals("function")) {
                throw ApiException.unsupported(
                        call.path("type"), "Calls of the type '" + type + "' are not supported, only functions.");
            }
            JsonObject function = call.object("function");
            if (function == null) {
                throw call.missing("function");
            }
            calls.add(call(call.requiredText("id"), function));
        }
        return List.copyOf(calls);
    }

    private static Map<String, Object> call(String id, JsonObject function) {
        return toolCall(id, function.requiredText("name"), function.requiredText("arguments"));
    }

    /** A call as messages hold it; {@code arguments} is JSON text. */
    static Map<String, Object> toolCall(String id, String name, String arguments) {
        return Map.of("id", id, "type", "function", "function", Map.of("name", name, "arguments", arguments));
    }

    private static String content(JsonObject message, String role, boolean calls) {
        JsonNode content = message.get("content");
        if (content == null) {
            String refusal = role.equals("assistant") ? message.text("refusal") : null;
            if (refusal == null && !calls) {
                throw message.missing("content");
            }
            return refusal == null ? "" : refusal;
        }
        return text(content, message.path("content"));
    }

    /** The text of a content: a string, or parts that are text. */
    static String text(JsonNode content, String path) {
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
            case "text", "input_text", "output_text" -> part.requiredText("text");
            case "refusal" -> part.requiredText("refusal");
            default ->
                throw ApiException.unsupported(
                        part.path("type"),
                        "Parts of the type '" + type + "' are not supported: this model reads text alone.");
        };
    }

    /** The text of a message of a conversation; empty if it has none. */
    static String content(Map<String, ?> message) {
        @Nullable Object content = message.get("content");
        return content == null ? "" : content.toString();
    }
}
