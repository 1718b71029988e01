package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** An item of a response's input, read and checked; what a response gives out can be read too. */
sealed interface InputItem {
    /** Its id, the caller's or a new one. */
    String id();

    /** Something that was said: by {@code user}, {@code assistant}, {@code system} or {@code developer}. */
    record Message(String id, String role, String text) implements InputItem {
        private void writeFields(JsonGenerator json) throws IOException {
            json.writeStringField("type", "message");
            json.writeStringField("role", role);
            json.writeStringField("status", "completed");
            writePart(json, "content", role.equals("assistant") ? "output_text" : "input_text", text);
        }
    }

    /** What the model thought. */
    record Reasoning(String id, String text) implements InputItem {}

    /** A call of a tool; {@code arguments} is JSON text. */
    record FunctionCall(String id, String callId, String name, String arguments) implements InputItem {}

    /** What a call gave. */
    record FunctionOutput(String id, String callId, String output) implements InputItem {}

    /**
     * Reads items.
     *
     * @param path the field that they came in, for errors
     */
    static List<InputItem> readAll(Iterable<JsonNode> elements, String path) {
        List<InputItem> items = new ArrayList<>();
        for (JsonNode element : elements) {
            items.add(read(JsonObject.object(element, path + "[" + items.size() + "]")));
        }
        return List.copyOf(items);
    }

    private static InputItem read(JsonObject item) {
        String type = Objects.requireNonNullElse(item.text("type"), "message");
        return switch (type) {
            case "message" -> message(item);
            case "reasoning" -> new Reasoning(id(item, "rs_"), reasoning(item));
            case "function_call" ->
                new FunctionCall(
                        id(item, "fc_"),
                        item.requiredText("call_id"),
                        item.requiredText("name"),
                        item.requiredText("arguments"));
            case "function_call_output" ->
                new FunctionOutput(id(item, "fco_"), item.requiredText("call_id"), text(item, "output"));
            default ->
                throw ApiException.unsupported(
                        item.path("type"),
                        "Items of the type '" + type + "' are not supported, only message, reasoning, function_call and"
                                + " function_call_output.");
        };
    }

    private static Message message(JsonObject item) {
        String role = item.requiredText("role");
        return switch (role) {
            case "user", "assistant", "system", "developer" ->
                new Message(id(item, "msg_"), role, text(item, "content"));
            default ->
                throw ApiException.badField(
                        item.path("role"), "'" + item.path("role") + "' must be user, assistant, system or developer.");
        };
    }

    /** What was thought in full, or else in short. */
    private static String reasoning(JsonObject item) {
        List<JsonNode> content = item.array("content");
        String field = content == null || content.isEmpty() ? "summary" : "content";
        List<JsonNode> parts = item.array(field);
        List<String> texts = new ArrayList<>();
        for (int i = 0; parts != null && i < parts.size(); i++) {
            texts.add(JsonObject.object(parts.get(i), item.path(field) + "[" + i + "]")
                    .requiredText("text"));
        }
        return String.join("\n", texts);
    }

    private static String text(JsonObject item, String field) {
        JsonNode content = item.get(field);
        if (content == null) {
            throw item.missing(field);
        }
        return MessageFields.text(content, item.path(field));
    }

    private static String id(JsonObject item, String prefix) {
        String id = item.text("id");
        return id == null || id.isEmpty() ? JobMaker.newId(prefix) : id;
    }

    /** Writes the item as lists of items have it. */
    default void write(JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", id());
        switch (this) {
            case Message message -> message.writeFields(json);
            case Reasoning(String id, String text) -> {
                json.writeStringField("type", "reasoning");
                json.writeArrayFieldStart("summary");
                json.writeEndArray();
                writePart(json, "content", "reasoning_text", text);
            }
            case FunctionCall(String id, String callId, String name, String arguments) -> {
                json.writeStringField("type", "function_call");
                json.writeStringField("call_id", callId);
                json.writeStringField("name", name);
                json.writeStringField("arguments", arguments);
                json.writeStringField("status", "completed");
            }
            case FunctionOutput(String id, String callId, String output) -> {
                json.writeStringField("type", "function_call_output");
                json.writeStringField("call_id", callId);
                json.writeStringField("output", output);
                json.writeStringField("status", "completed");
            }
        }
        json.writeEndObject();
    }

    private static void writePart(JsonGenerator json, String field, String type, String text) throws IOException {
        json.writeArrayFieldStart(field);
        json.writeStartObject();
        json.writeStringField("type", type);
        json.writeStringField("text", text);
        if ("output_text".equals(type)) {
            json.writeArrayFieldStart("annotations");
            json.writeEndArray();
            json.writeArrayFieldStart("logprobs");
            json.writeEndArray();
        }
        json.writeEndObject();
        json.writeEndArray();
    }
}
