package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Turns Anthropic's messages, whose contents are blocks, into those that templates know. For one thread. */
final class MessagesInput {
    private final List<Map<String, Object>> messages = new ArrayList<>();
    private final List<String> texts = new ArrayList<>();
    private final List<String> thoughts = new ArrayList<>();
    private final List<Map<String, Object>> calls = new ArrayList<>();

    private MessagesInput() {}

    /** The messages of a request, its {@code system} first. */
    static List<Map<String, Object>> messages(JsonObject body) {
        MessagesInput input = new MessagesInput();
        JsonNode system = body.get("system");
        if (system != null) {
            String text = MessageFields.text(system, "system");
            if (!text.isEmpty()) {
                input.add("system", text);
            }
        }
        List<JsonNode> elements = body.array("messages");
        if (elements == null) {
            throw body.missing("messages");
        }
        if (elements.isEmpty()) {
            throw ApiException.badField("messages", "'messages' must have at least one message.");
        }
        String last = "";
        for (int i = 0; i < elements.size(); i++) {
            JsonObject message = JsonObject.object(elements.get(i), "messages[" + i + "]");
            String role = message.requiredText("role");
            if (!role.equals("user") && !role.equals("assistant")) {
                throw ApiException.badField(
                        message.path("role"), "'" + message.path("role") + "' must be user or assistant.");
            }
            if (!role.equals(last)) {
                // Turns of the same role that follow each other are one.
                input.endOf(last);
            }
            input.content(message, role);
            last = role;
        }
        if (last.equals("assistant")) {
            throw ApiException.unsupported(
                    "messages",
                    "The last of 'messages' is the assistant's: to go on from the beginning of a reply is not supported.");
        }
        input.endOf(last);
        return List.copyOf(input.messages);
    }

    private void content(JsonObject message, String role) {
        JsonNode content = message.get("content");
        String path = message.path("content");
        if (content == null) {
            throw message.missing("content");
        }
        if (content.isTextual()) {
            texts.add(JsonObject.text(content, path));
            return;
        }
        if (!content.isArray()) {
            throw JsonObject.wrongType(path, "a string or an array of blocks", content);
        }
        for (int i = 0; i < content.size(); i++) {
            block(JsonObject.object(content.get(i), path + "[" + i + "]"), role);
        }
    }

    private void block(JsonObject block, String role) {
        String type = block.requiredText("type");
        switch (role + " " + type) {
            case "user text", "assistant text" -> texts.add(block.requiredText("text"));
            case "user tool_result" -> result(block);
            case "assistant thinking" -> thoughts.add(block.requiredText("thinking"));
            case "assistant redacted_thinking" -> {
                // Nobody but who wrote it can read it.
            }
            case "assistant tool_use" -> calls.add(call(block));
            default ->
                throw ApiException.unsupported(
                        block.path("type"),
                        "'" + block.path("type") + "': blocks of the type '" + type
                                + "' are not supported here: this model reads text, tool_use and tool_result.");
        }
    }

    private static Map<String, Object> call(JsonObject block) {
        JsonObject input = block.object("input");
        if (input == null) {
            throw block.missing("input");
        }
        return MessageFields.toolCall(
                block.requiredText("id"),
                block.requiredText("name"),
                input.node().toString());
    }

    private void result(JsonObject block) {
        JsonNode content = block.get("content");
        String text = content == null ? "" : MessageFields.text(content, block.path("content"));
        // Templates have no other way to tell the model that a tool has failed.
        Map<String, Object> message = add("tool", block.flag("is_error", false) ? "Error: " + text : text);
        message.put("tool_call_id", block.requiredText("tool_use_id"));
    }

    private Map<String, Object> add(String role, String content) {
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("role", role);
        message.put("content", content);
        messages.add(message);
        return message;
    }

    private void endOf(String role) {
        boolean onlyResults = texts.isEmpty() && role.equals("user") && !messages.isEmpty();
        if (!role.isEmpty() && !onlyResults) {
            Map<String, Object> message = add(role, String.join("\n\n", texts));
            if (!calls.isEmpty()) {
                message.put("tool_calls", List.copyOf(calls));
            }
            if (!thoughts.isEmpty()) {
                message.put("reasoning_content", String.join("\n\n", thoughts));
            }
        }
        texts.clear();
        calls.clear();
        thoughts.clear();
    }
}
