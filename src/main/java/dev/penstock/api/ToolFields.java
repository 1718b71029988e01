package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.penstock.prompt.dialogue.Tool;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The tools that a request offers, and whether they must be called.
 *
 * @param tools in the request's order, no two of the same name; empty where none may be called
 * @param mustCall whether the reply has to be calls, of {@code tools} alone
 * @param parallel whether one reply may call several times
 * @param legacy whether they came as {@code functions}: the reply then has one {@code function_call}
 */
record ToolFields(List<Tool> tools, boolean mustCall, boolean parallel, boolean legacy) {
    /** No tools. */
    static final ToolFields NONE = new ToolFields(List.of(), false, false, false);

    /** As the contract says. */
    static final int MAX_TOOLS = 128;

    /** Reads {@code tools} and what goes with it, or the older {@code functions}. */
    static ToolFields read(JsonObject body) {
        List<JsonNode> elements = body.array("tools");
        boolean legacy = elements == null && body.get("functions") != null;
        List<Tool> tools = legacy ? functions(body) : tools(elements == null ? List.of() : elements);
        boolean parallel = body.flag("parallel_tool_calls", true) && !legacy;
        return choose(body, legacy ? "function_call" : "tool_choice", tools, parallel, legacy);
    }

    /** Reads {@code tools} as {@code /v1/responses} has them: name and parameters beside the type, strict unless they say otherwise. */
    static ToolFields readFlat(JsonObject body) {
        List<JsonNode> elements = body.array("tools");
        List<Tool> tools = all(elements == null ? List.of() : elements, "tools", tool -> {
            checkType(tool);
            return tool(tool, tool.object("parameters"), true);
        });
        return choose(body, "tool_choice", tools, body.flag("parallel_tool_calls", true), false);
    }

    private static void checkType(JsonObject tool) {
        String type = tool.requiredText("type");
        if (!type.equals("function")) {
            throw ApiException.unsupported(
                    tool.path("type"), "Tools of the type '" + type + "' are not supported, only functions.");
        }
    }

    private static List<Tool> functions(JsonObject body) {
        List<JsonNode> elements = body.array("functions");
        return elements == null ? List.of() : all(elements, "functions", ToolFields::function);
    }

    private static List<Tool> tools(List<JsonNode> elements) {
        return all(elements, "tools", tool -> {
            checkType(tool);
            JsonObject function = tool.object("function");
            if (function == null) {
                throw tool.missing("function");
            }
            return function(function);
        });
    }

    private interface Reader {
        Tool read(JsonObject tool);
    }

    private static List<Tool> all(List<JsonNode> elements, String field, Reader reader) {
        if (elements.size() > MAX_TOOLS) {
            throw ApiException.badField(field, "'" + field + "' must have at most " + MAX_TOOLS + " entries.");
        }
        List<Tool> tools = new ArrayList<>(elements.size());
        for (int i = 0; i < elements.size(); i++) {
            String path = field + "[" + i + "]";
            tools.add(reader.read(JsonObject.object(elements.get(i), path)));
        }
        return List.copyOf(tools);
    }

    /** A function: its name, and the schema of its arguments. */
    static Tool function(JsonObject function) {
        return tool(function, function.object("parameters"), false);
    }

    /** A tool whose arguments have this schema; without one it takes none. */
    static Tool tool(JsonObject tool, @Nullable JsonObject parameters, boolean strictByDefault) {
        return new Tool(
                tool.requiredText("name"),
                tool.text("description"),
                parameters == null ? noParameters() : parameters.node(),
                tool.flag("strict", strictByDefault));
    }

    /** With the tools of these names as tools that aren't strict. */
    ToolFields loosened(Set<String> names) {
        List<Tool> some = tools.stream()
                .map(t -> names.contains(t.name()) ? new Tool(t.name(), t.description(), t.parameters(), false) : t)
                .toList();
        return new ToolFields(some, mustCall, parallel, legacy);
    }

    private static ObjectNode noParameters() {
        ObjectNode schema = JsonNodeFactory.instance.objectNode().put("type", "object");
        schema.putObject("properties");
        return schema;
    }

    private static ToolFields choose(
            JsonObject body, String field, List<Tool> tools, boolean parallel, boolean legacy) {
        JsonNode choice = body.get(field);
        if (choice == null) {
            return new ToolFields(tools, false, parallel, legacy);
        }
        if (choice.isTextual()) {
            return switch (choice.textValue()) {
                case "none" -> NONE;
                case "auto" -> new ToolFields(tools, false, parallel, legacy);
                case "required" -> must(tools, field, parallel, legacy);
                default ->
                    throw ApiException.badField(
                            field, "'" + field + "' must be none, auto, required, or an object that names a tool.");
            };
        }
        JsonObject object = JsonObject.object(choice, field);
        if (legacy) {
            return must(named(tools, object.requiredText("name"), object.path("name")), field, false, true);
        }
        return switch (object.requiredText("type")) {
            case "function" -> {
                JsonObject function = object.object("function");
                // The form of /v1/responses has the name beside the type.
                JsonObject holder = function == null ? object : function;
                String name = holder.requiredText("name");
                yield must(named(tools, name, holder.path("name")), field, parallel, false);
            }
            case "allowed_tools" -> allowed(object, tools, field, parallel);
            default ->
                throw ApiException.unsupported(
                        object.path("type"), "A choice of this type is not supported, only functions.");
        };
    }

    private static ToolFields allowed(JsonObject choice, List<Tool> tools, String field, boolean parallel) {
        JsonObject nested = choice.object("allowed_tools");
        JsonObject holder = nested == null ? choice : nested;
        List<JsonNode> entries = holder.array("tools");
        if (entries == null) {
            throw holder.missing("tools");
        }
        List<Tool> some = new ArrayList<>();
        for (int i = 0; i < entries.size(); i++) {
            JsonObject entry = JsonObject.object(entries.get(i), holder.path("tools") + "[" + i + "]");
            JsonObject function = entry.object("function");
            JsonObject named = function == null ? entry : function;
            some.addAll(named(tools, named.requiredText("name"), named.path("name")));
        }
        return switch (holder.requiredText("mode")) {
            case "auto" -> new ToolFields(some, false, parallel, false);
            case "required" -> must(some, field, parallel, false);
            default -> throw ApiException.badField(holder.path("mode"), "'mode' must be auto or required.");
        };
    }

    /** The one of that name. */
    static List<Tool> named(List<Tool> tools, String name, String path) {
        return tools.stream()
                .filter(t -> t.name().equals(name))
                .findFirst()
                .map(List::of)
                .orElseThrow(() -> ApiException.badField(path, "'" + name + "' is none of the request's tools."));
    }

    /** Those of which one has to be called. */
    static ToolFields must(List<Tool> tools, String field, boolean parallel, boolean legacy) {
        if (tools.isEmpty()) {
            throw ApiException.badField(field, "'" + field + "' demands a call, but the request has no tools.");
        }
        return new ToolFields(tools, true, parallel, legacy);
    }
}
