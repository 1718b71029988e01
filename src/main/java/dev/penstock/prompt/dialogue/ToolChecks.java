package dev.penstock.prompt.dialogue;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Checks what a request says about tools: their names and schemas, and that calls and results belong together. */
public final class ToolChecks {
    /** FunctionObject of OpenAI's OpenAPI document 2.3.0. */
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9_-]{1,64}");

    private ToolChecks() {}

    /**
     * What is wrong with a request's field.
     *
     * @param path such as {@code messages[2].tool_call_id}
     * @param message a sentence for the caller
     */
    public record Problem(String path, String message) {}

    /** The first thing that is wrong with these tools: a name that can't be, or twice; arguments that are no object. */
    public static Optional<Problem> tools(List<Tool> tools) {
        Map<String, Integer> places = new HashMap<>();
        for (int i = 0; i < tools.size(); i++) {
            Tool tool = tools.get(i);
            String path = "tools[" + i + "].function.";
            if (!NAME.matcher(tool.name()).matches()) {
                return problem(path + "name", badName(path + "name"));
            }
            Integer before = places.putIfAbsent(tool.name(), i);
            if (before != null) {
                return problem(
                        path + "name",
                        "'" + path + "name' is '" + tool.name() + "' like that of tools[" + before
                                + "]; each tool needs a name of its own.");
            }
            String type = tool.parameters().path("type").asText("object");
            if (!tool.parameters().isObject() || !type.equals("object")) {
                return problem(
                        path + "parameters",
                        "'" + path
                                + "parameters' must be the JSON Schema of an object: arguments are passed by their names.");
            }
        }
        return Optional.empty();
    }

    /**
     * The first thing that is wrong with calls and results of a conversation: calls without id or name, an id twice, results
     * without their call, calls without their results.
     *
     * @param messages maps with role and, where they have them, {@code tool_calls} and {@code tool_call_id}
     */
    public static Optional<Problem> conversation(List<Map<String, Object>> messages) {
        // The calls of the last assistant's message that have no result yet, with the places of the others.
        Set<String> open = new LinkedHashSet<>();
        Set<String> answered = new LinkedHashSet<>();
        for (int i = 0; i < messages.size(); i++) {
            Map<String, Object> message = messages.get(i);
            String path = "messages[" + i + "]";
            if ("tool".equals(message.get("role"))) {
                Optional<Problem> problem = result(message, path, open, answered);
                if (problem.isPresent()) {
                    return problem;
                }
                continue;
            }
            if (!open.isEmpty()) {
                return problem(path + ".role", missing(path, open));
            }
            answered.clear();
            if (message.get("tool_calls") instanceof List<?> calls) {
                Optional<Problem> problem = calls(calls, path + ".tool_calls", open);
                if (problem.isPresent()) {
                    return problem;
                }
            }
        }
        String last = "messages[" + (messages.size() - 1) + "]";
        return open.isEmpty() ? Optional.empty() : problem(last, missing(last, open));
    }

    private static Optional<Problem> result(
            Map<String, Object> message, String path, Set<String> open, Set<String> answered) {
        String field = path + ".tool_call_id";
        if (!(message.get("tool_call_id") instanceof String id)) {
            return problem(field, "'" + field + "' is missing: a tool's message tells which call it answers.");
        }
        if (open.isEmpty() && answered.isEmpty()) {
            return problem(
                    path + ".role",
                    "'" + path + "' is a tool's message, but no message with 'tool_calls' is right before it.");
        }
        if (answered.contains(id)) {
            return problem(field, "'" + field + "' is '" + shortened(id) + "', a call that has been answered already.");
        }
        if (!open.remove(id)) {
            return problem(
                    field,
                    "'" + field + "' is '" + shortened(id) + "', which is none of the calls before it: " + list(open)
                            + ".");
        }
        answered.add(id);
        return Optional.empty();
    }

    private static Optional<Problem> calls(List<?> calls, String path, Set<String> open) {
        for (int i = 0; i < calls.size(); i++) {
            String place = path + "[" + i + "]";
            Map<?, ?> call = calls.get(i) instanceof Map<?, ?> map ? map : new LinkedHashMap<>();
            Map<?, ?> function = call.get("function") instanceof Map<?, ?> map ? map : new LinkedHashMap<>();
            if (!(call.get("id") instanceof String id) || id.isEmpty()) {
                return problem(place + ".id", "'" + place + ".id' is missing.");
            }
            String name = place + ".function.name";
            if (!(function.get("name") instanceof String text)
                    || !NAME.matcher(text).matches()) {
                return problem(name, badName(name));
            }
            if (!(function.get("arguments") instanceof String)) {
                String field = place + ".function.arguments";
                return problem(field, "'" + field + "' must be a string with the arguments as JSON.");
            }
            if (!open.add(id)) {
                return problem(
                        place + ".id", "'" + place + ".id' is '" + shortened(id) + "' like that of a call before it.");
            }
        }
        return Optional.empty();
    }

    private static String badName(String path) {
        return "'" + path + "' must be 1 to 64 of the characters a-z, A-Z, 0-9, underscore and dash.";
    }

    private static String missing(String path, Set<String> open) {
        return "Before '" + path
                + "' ends, each call needs a message of role 'tool' with its result; there is none for " + list(open)
                + ".";
    }

    private static String list(Set<String> ids) {
        return ids.isEmpty()
                ? "none are left"
                : String.join(
                        ", ", ids.stream().limit(5).map(ToolChecks::shortened).toList());
    }

    private static String shortened(String id) {
        return id.length() <= 64 ? id : id.substring(0, 64) + "…";
    }

    private static Optional<Problem> problem(String path, String message) {
        return Optional.of(new Problem(path, message));
    }
}
