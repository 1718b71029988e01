package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import dev.penstock.prompt.constraint.OutputForm;
import dev.penstock.prompt.dialogue.Tool;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The body of {@code POST /v1/messages}, Anthropic's form of a conversation, read and checked.
 *
 * @param chat the conversation that it means
 * @param stopSequences the request's own
 */
record MessagesRequest(ChatRequest chat, List<String> stopSequences) {
    /** Every one is searched for in every piece of text. */
    private static final int MAX_STOPS = 16;

    private static final int MAX_STOP_CHARS = 1000;

    /** Reads what is to be answered. */
    static MessagesRequest read(JsonObject body) {
        OptionalInt maxTokens = body.integer("max_tokens", 1, Integer.MAX_VALUE);
        if (maxTokens.isEmpty()) {
            throw body.missing("max_tokens");
        }
        return read(body, maxTokens);
    }

    /** Reads what is to be counted, which sets no limit. */
    static MessagesRequest readPrompt(JsonObject body) {
        return read(body, OptionalInt.empty());
    }

    private static MessagesRequest read(JsonObject body, OptionalInt maxTokens) {
        Refusals.checkMessages(body);
        List<String> stops = stops(body);
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        thinking(body, variables);
        JsonObject config = body.object("output_config");
        ChatRequest chat = new ChatRequest(
                body.requiredText("model"),
                "messages",
                MessagesInput.messages(body),
                variables,
                true,
                false,
                SamplingFields.read(body, maxTokens, OptionalInt.empty()).withStop(stops),
                1,
                tools(body),
                format(config, variables),
                null,
                StreamFields.read(body));
        return new MessagesRequest(chat, stops);
    }

    private static List<String> stops(JsonObject body) {
        List<JsonNode> elements = body.array("stop_sequences");
        if (elements == null) {
            return List.of();
        }
        if (elements.size() > MAX_STOPS) {
            throw ApiException.badField(
                    "stop_sequences", "'stop_sequences' must have at most " + MAX_STOPS + " strings.");
        }
        List<String> stops = new ArrayList<>();
        for (JsonNode element : elements) {
            String stop = JsonObject.text(element, "stop_sequences");
            if (stop.isEmpty() || stop.length() > MAX_STOP_CHARS) {
                throw ApiException.badField(
                        "stop_sequences",
                        "Each string of 'stop_sequences' must have 1 to " + MAX_STOP_CHARS + " characters.");
            }
            stops.add(stop);
        }
        return List.copyOf(stops);
    }

    /** A model thinks where it was asked to, and never by itself. */
    private static void thinking(JsonObject body, Map<String, @Nullable Object> variables) {
        JsonObject thinking = body.object("thinking");
        String type = thinking == null ? "disabled" : thinking.requiredText("type");
        switch (type) {
            case "disabled" -> variables.put("enable_thinking", false);
            case "adaptive" -> {}
            case "enabled" -> {
                variables.put("enable_thinking", true);
                OptionalInt budget = thinking == null
                        ? OptionalInt.empty()
                        : thinking.integer("budget_tokens", 1, Integer.MAX_VALUE);
                budget.ifPresent(tokens -> variables.put("thinking_budget", tokens));
            }
            default ->
                throw ApiException.badField("thinking.type", "'thinking.type' must be enabled, disabled or adaptive.");
        }
    }

    private static @Nullable FormatFields format(@Nullable JsonObject config, Map<String, @Nullable Object> variables) {
        if (config == null) {
            return null;
        }
        String effort = config.text("effort");
        if (effort != null) {
            variables.put("reasoning_effort", effort);
        }
        JsonObject format = config.object("format");
        OutputForm form = FormatFields.responseFormat(format);
        return form == null ? null : new FormatFields(form, "output_config.format");
    }

    private static ToolFields tools(JsonObject body) {
        List<JsonNode> elements = body.array("tools");
        List<Tool> tools = new ArrayList<>();
        for (int i = 0; elements != null && i < elements.size(); i++) {
            tools.add(tool(JsonObject.object(elements.get(i), "tools[" + i + "]")));
        }
        if (tools.size() > ToolFields.MAX_TOOLS) {
            throw ApiException.badField("tools", "'tools' must have at most " + ToolFields.MAX_TOOLS + " entries.");
        }
        JsonObject choice = body.object("tool_choice");
        String type = choice == null ? "auto" : choice.requiredText("type");
        boolean parallel = choice == null || !choice.flag("disable_parallel_tool_use", false);
        return switch (type) {
            case "auto" -> new ToolFields(List.copyOf(tools), false, parallel, false);
            case "none" -> ToolFields.NONE;
            case "any" -> ToolFields.must(List.copyOf(tools), "tool_choice", parallel, false);
            case "tool" -> {
                String name = choice == null ? "" : choice.requiredText("name");
                List<Tool> named = ToolFields.named(tools, name, "tool_choice.name");
                yield ToolFields.must(named, "tool_choice", parallel, false);
            }
            default ->
                throw ApiException.badField("tool_choice.type", "'tool_choice.type' must be auto, any, tool or none.");
        };
    }

    private static Tool tool(JsonObject tool) {
        String type = tool.text("type");
        if (type != null && !type.equals("custom")) {
            throw ApiException.unsupported(
                    tool.path("type"),
                    "'" + tool.path("type") + "': tools of the type '" + type
                            + "' are not supported, only those that the caller runs.");
        }
        JsonObject schema = tool.object("input_schema");
        if (schema == null) {
            throw tool.missing("input_schema");
        }
        return ToolFields.tool(tool, schema, false);
    }
}
