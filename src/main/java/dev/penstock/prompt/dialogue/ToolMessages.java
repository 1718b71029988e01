package dev.penstock.prompt.dialogue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Turns tools, calls and results of the wire into what a chat template takes, or into text where it knows nothing of them. */
public final class ToolMessages {
    /** Chars of a call's id in Mistral's templates. */
    static final int SHORT_ID_CHARS = 9;

    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private ToolMessages() {}

    /** The template's variable {@code tools}: a list of {@code {type, function: {name, description, parameters}}}. */
    public static List<Map<String, Object>> templateTools(List<Tool> tools) {
        List<Map<String, Object>> list = new ArrayList<>(tools.size());
        for (Tool tool : tools) {
            Map<String, Object> function = new LinkedHashMap<>();
            function.put("name", tool.name());
            // Templates print it without asking whether it is there.
            function.put("description", tool.description() == null ? "" : tool.description());
            if (plain(tool.parameters()) instanceof Map<?, ?> parameters) {
                function.put("parameters", parameters);
            }
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("type", "function");
            map.put("function", function);
            list.add(map);
        }
        return list;
    }

    /** What tells a model of tools that its template doesn't know, and how to call them: as {@link ToolStyle#HERMES} does. */
    static String instructions(List<Tool> tools) {
        StringBuilder text = new StringBuilder("You can call functions to help with the request. These are available,"
                + " each with a JSON Schema of its arguments:\n<tools>\n");
        for (Tool tool : tools) {
            ObjectNode function = JsonNodeFactory.instance.objectNode().put("name", tool.name());
            if (tool.description() != null) {
                function.put("description", tool.description());
            }
            text.append(function.set("parameters", tool.parameters()).toString())
                    .append('\n');
        }
        return text.append("</tools>\nTo call a function, answer with its name and arguments as JSON between tags,"
                        + " once for each call, and nothing after the last:\n"
                        + "<tool_call>\n{\"name\": \"function name\", \"arguments\": {\"argument\": \"value\"}}\n</tool_call>\n"
                        + "What it returns comes between <tool_response> and </tool_response>."
                        + " When no function helps, answer in plain text.")
                .toString();
    }

    /**
     * Messages for a template that knows tools: arguments become maps where they are objects, results get their function's name,
     * and content is always there.
     *
     * @param id makes the id that the template takes of a call's id
     */
    static List<Map<String, Object>> forTemplate(List<Map<String, Object>> messages, UnaryOperator<String> id) {
        Map<String, String> names = new HashMap<>();
        List<Map<String, Object>> list = new ArrayList<>(messages.size());
        for (Map<String, Object> message : messages) {
            Map<String, Object> map = new LinkedHashMap<>(message);
            map.putIfAbsent("content", "");
            // Some templates ask only whether there is a list.
            map.remove("tool_calls");
            List<Map<String, Object>> calls = new ArrayList<>();
            for (ToolCall call : ToolCall.of(message)) {
                names.put(call.id(), call.name());
                calls.add(call.forTemplate(id.apply(call.id())));
            }
            if (!calls.isEmpty()) {
                map.put("tool_calls", calls);
            }
            if (message.get("tool_call_id") instanceof String callId) {
                map.put("tool_call_id", id.apply(callId));
                String name = names.get(callId);
                if (name != null) {
                    map.putIfAbsent("name", name);
                }
            }
            list.add(map);
        }
        return list;
    }

    /**
     * Messages for a template that knows nothing of tools: calls stand in the assistant's text as {@link #instructions} asks for
     * them, results are the user's. What follows on a result is part of the same message, as templates want roles to alternate.
     */
    static List<Map<String, Object>> asText(List<Map<String, Object>> messages) {
        List<Map<String, Object>> list = new ArrayList<>(messages.size());
        boolean behindResult = false;
        for (Map<String, Object> message : messages) {
            Map<String, Object> map = new LinkedHashMap<>(message);
            StringBuilder content = new StringBuilder(message.get("content") instanceof String text ? text : "");
            boolean result = "tool".equals(message.get("role"));
            if (result) {
                content.insert(0, "<tool_response>\n").append("\n</tool_response>");
                map.put("role", "user");
                map.remove("tool_call_id");
                map.remove("name");
            }
            for (ToolCall call : ToolCall.of(message)) {
                content.append(content.isEmpty() ? "" : "\n").append(call.asText());
            }
            map.remove("tool_calls");
            if (behindResult && "user".equals(map.get("role"))) {
                Map<String, Object> before = list.removeLast();
                content.insert(0, before.get("content") + "\n");
                map = before;
            }
            map.put("content", content.toString());
            list.add(map);
            behindResult = result || (behindResult && "user".equals(map.get("role")));
        }
        return list;
    }

    /** The id itself if it has the short form, else one that follows from it. */
    static String shortened(String id, String alphabet) {
        if (id.length() == SHORT_ID_CHARS && id.chars().allMatch(c -> alphabet.indexOf(c) >= 0)) {
            return id;
        }
        // FNV-1a, 64 bits: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv
        long hash = 0xcbf29ce484222325L;
        for (byte b : id.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < SHORT_ID_CHARS; i++) {
            text.append(alphabet.charAt((int) Long.remainderUnsigned(hash, alphabet.length())));
            hash = Long.divideUnsigned(hash, alphabet.length());
        }
        return text.toString();
    }

    /** JSON as maps, lists, strings, numbers, booleans and null. */
    private static @Nullable Object plain(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> {
                Map<String, @Nullable Object> map = new LinkedHashMap<>();
                node.properties().forEach(e -> map.put(e.getKey(), plain(e.getValue())));
                yield map;
            }
            case ARRAY -> {
                List<@Nullable Object> list = new ArrayList<>(node.size());
                node.forEach(element -> list.add(plain(element)));
                yield list;
            }
            case STRING -> node.textValue();
            case BOOLEAN -> node.booleanValue();
            case NUMBER ->
                node.isIntegralNumber() && node.canConvertToLong()
                        ? (Object) node.longValue()
                        : (Object) node.doubleValue();
            case NULL, BINARY, MISSING, POJO -> null;
        };
    }

    /**
     * A call of an assistant's message.
     *
     * @param arguments as JSON text, which models may have spoilt
     */
    private record ToolCall(String id, String name, String arguments) {
        static List<ToolCall> of(Map<String, Object> message) {
            List<ToolCall> calls = new ArrayList<>();
            if (message.get("tool_calls") instanceof List<?> list) {
                for (Object element : list) {
                    if (element instanceof Map<?, ?> call && call.get("function") instanceof Map<?, ?> function) {
                        calls.add(new ToolCall(
                                String.valueOf(call.get("id")),
                                String.valueOf(function.get("name")),
                                String.valueOf(function.get("arguments"))));
                    }
                }
            }
            return calls;
        }

        Map<String, Object> forTemplate(String templateId) {
            Map<String, Object> function = new LinkedHashMap<>();
            function.put("name", name);
            JsonNode parsed = parsed();
            Object plain = parsed == null ? null : plain(parsed);
            function.put("arguments", plain == null ? arguments : plain);
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("id", templateId);
            map.put("type", "function");
            map.put("function", function);
            return map;
        }

        String asText() {
            String json =
                    parsed() == null ? PythonLiteral.quoted(arguments) : arguments.isBlank() ? "{}" : arguments.strip();
            return "<tool_call>\n{\"name\": " + PythonLiteral.quoted(name) + ", \"arguments\": " + json
                    + "}\n</tool_call>";
        }

        /** The arguments, unless they are no object; none at all are an empty one. */
        private @Nullable JsonNode parsed() {
            if (arguments.isBlank()) {
                return JsonNodeFactory.instance.objectNode();
            }
            try {
                JsonNode node = JSON.readTree(arguments);
                return node.isObject() ? node : null;
            } catch (JsonProcessingException e) {
                return null;
            }
        }
    }
}
