package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.penstock.prompt.ServedModel;
import dev.penstock.prompt.constraint.OutputForm;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The body of {@code POST /v1/responses}, read and checked.
 *
 * @param chat the conversation that it means
 * @param input the request's own items, without those of earlier responses
 * @param store whether the response is kept
 * @param background whether it is made without the caller's connection
 * @param truncate whether the oldest messages may be dropped where not all fit
 * @param settings what the response repeats of the request, by the contract's names
 */
record ResponseRequest(
        ChatRequest chat,
        List<InputItem> input,
        boolean store,
        boolean background,
        boolean truncate,
        ObjectNode settings) {

    private static final String LOGPROBS = "message.output_text.logprobs";

    /** What else may be included: of tools that are not here, and reasoning, which is never hidden. */
    private static final Set<String> INCLUDES = Set.of(
            LOGPROBS,
            "reasoning.encrypted_content",
            "file_search_call.results",
            "web_search_call.results",
            "web_search_call.action.sources",
            "message.input_image.image_url",
            "computer_call_output.output.image_url",
            "code_interpreter_call.outputs");

    private static final Set<String> EFFORTS = Set.of("none", "minimal", "low", "medium", "high", "xhigh", "max");
    private static final int MAX_TOP_LOGPROBS = 20;

    /**
     * Reads it.
     *
     * @param earlier the items of the responses that it goes on from
     * @param model the one that it is for
     */
    static ResponseRequest read(JsonObject body, List<InputItem> earlier, ServedModel model) {
        Refusals.checkResponse(body);
        ObjectNode settings = JsonNodeFactory.instance.objectNode();
        List<InputItem> input = input(body);
        List<InputItem> all = new ArrayList<>(earlier);
        all.addAll(input);
        String instructions = body.text("instructions");
        List<Map<String, Object>> messages = ResponseInput.messages(instructions, all);
        if (messages.isEmpty()) {
            throw ApiException.badField("input", "'input' must have at least one message.");
        }
        boolean store = body.flag("store", true);
        boolean background = body.flag("background", false);
        StreamFields streaming = StreamFields.read(body);
        if (background && streaming.stream()) {
            throw ApiException.unsupported("background", "'background' can't be streamed: ask for it by its id.");
        }
        if (background && !store) {
            throw ApiException.badField("background", "'background' needs 'store': the response is asked for later.");
        }
        settings.put("background", background);
        settings.put("instructions", instructions);
        OptionalInt maxTokens = integer(body, "max_output_tokens", settings);
        integer(body, "max_tool_calls", settings);
        JsonNode metadata = CommonFields.metadata(body);
        settings.set("metadata", metadata == null ? JsonNodeFactory.instance.objectNode() : metadata);
        settings.put("previous_response_id", body.text("previous_response_id"));
        settings.put("prompt_cache_key", body.text("prompt_cache_key"));
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        settings.set("reasoning", reasoning(body, variables));
        settings.put("safety_identifier", body.text("safety_identifier"));
        CommonFields.serviceTier(body);
        settings.put("service_tier", "default");
        settings.put("store", store);
        FormatFields format = text(body, settings);
        ToolFields tools = tools(body, settings, model);
        OptionalInt topLogprobs = topLogprobs(body, settings);
        boolean truncate = truncate(body, settings);
        String user = body.text("user");
        if (user != null) {
            settings.put("user", user);
        }
        ChatRequest chat = new ChatRequest(
                body.requiredText("model"),
                "input",
                messages,
                variables,
                true,
                false,
                SamplingFields.read(body, maxTokens, topLogprobs),
                1,
                tools,
                format,
                null,
                streaming);
        return new ResponseRequest(chat, input, store, background, truncate, settings);
    }

    private static List<InputItem> input(JsonObject body) {
        JsonNode input = body.get("input");
        if (input == null) {
            // With earlier items, or instructions, there may be nothing to add.
            return List.of();
        }
        if (input.isTextual()) {
            return List.of(new InputItem.Message(JobMaker.newId("msg_"), "user", JsonObject.text(input, "input")));
        }
        if (!input.isArray()) {
            throw JsonObject.wrongType("input", "a string or an array of items", input);
        }
        return InputItem.readAll(input, "input");
    }

    private static OptionalInt integer(JsonObject body, String name, ObjectNode settings) {
        OptionalInt value = body.integer(name, 1, Integer.MAX_VALUE);
        settings.put(name, value.isPresent() ? Integer.valueOf(value.getAsInt()) : null);
        return value;
    }

    private static ObjectNode reasoning(JsonObject body, Map<String, @Nullable Object> variables) {
        ObjectNode settings = JsonNodeFactory.instance.objectNode();
        JsonObject reasoning = body.object("reasoning");
        String effort = reasoning == null ? null : reasoning.text("effort");
        if (reasoning != null && effort != null && !EFFORTS.contains(effort)) {
            throw ApiException.badField(
                    reasoning.path("effort"),
                    "'" + reasoning.path("effort") + "' must be none, minimal, low, medium, high, xhigh or max.");
        }
        ChatRequest.reasoningEffort(effort, variables);
        settings.put("effort", effort);
        // Reasoning is given whole.
        settings.putNull("summary");
        return settings;
    }

    private static @Nullable FormatFields text(JsonObject body, ObjectNode settings) {
        ObjectNode repeated = settings.putObject("text");
        JsonObject text = body.object("text");
        JsonObject format = text == null ? null : text.object("format");
        String verbosity = text == null ? null : text.text("verbosity");
        if (text != null && verbosity != null && !verbosity.equals("medium")) {
            throw ApiException.unsupported(
                    text.path("verbosity"), "Only the verbosity 'medium' is supported; leave the field out.");
        }
        repeated.put("verbosity", "medium");
        OutputForm form = FormatFields.responseFormat(format);
        if (format == null || form == null) {
            repeated.putObject("format").put("type", "text");
            return null;
        }
        String type = format.requiredText("type");
        if (type.equals("json_schema") && format.object("schema") == null) {
            throw format.missing("schema");
        }
        repeated.set("format", format.node());
        return new FormatFields(form, "text.format");
    }

    private static ToolFields tools(JsonObject body, ObjectNode settings, ServedModel model) {
        ToolFields tools = ToolFields.readFlat(body);
        List<JsonNode> elements = body.array("tools");
        Set<String> loose = new HashSet<>();
        if (elements != null && elements.stream().anyMatch(e -> !e.hasNonNull("strict"))) {
            loose.addAll(Conversation.unheld(model, tools));
        }
        ArrayNode repeated = settings.putArray("tools");
        for (int i = 0; elements != null && i < elements.size(); i++) {
            JsonObject tool = JsonObject.object(elements.get(i), "tools[" + i + "]");
            ObjectNode copy = repeated.addObject();
            copy.put("type", "function");
            copy.put("name", tool.requiredText("name"));
            copy.put("description", tool.text("description"));
            JsonObject parameters = tool.object("parameters");
            copy.set("parameters", parameters == null ? null : parameters.node());
            if (tool.get("strict") != null) {
                loose.remove(tool.requiredText("name"));
            }
            copy.put("strict", tool.flag("strict", !loose.contains(tool.requiredText("name"))));
        }
        JsonNode choice = body.get("tool_choice");
        settings.set("tool_choice", choice == null ? JsonNodeFactory.instance.textNode("auto") : flat(choice));
        settings.put("parallel_tool_calls", body.flag("parallel_tool_calls", true));
        return tools.loosened(loose);
    }

    /** A choice as the contract of responses has it: what chats nest stands beside the type. */
    private static JsonNode flat(JsonNode choice) {
        for (String nested : new String[] {"function", "allowed_tools"}) {
            if (choice.get(nested) instanceof ObjectNode fields) {
                return JsonNodeFactory.instance.objectNode().put("type", nested).setAll(fields);
            }
        }
        return choice;
    }

    private static OptionalInt topLogprobs(JsonObject body, ObjectNode settings) {
        boolean included = false;
        List<JsonNode> include = body.array("include");
        for (int i = 0; include != null && i < include.size(); i++) {
            String path = "include[" + i + "]";
            String what = JsonObject.text(include.get(i), path);
            if (!INCLUDES.contains(what)) {
                throw ApiException.badField(path, "'" + what + "' is nothing that can be included.");
            }
            included |= what.equals(LOGPROBS);
        }
        int top = body.integer("top_logprobs", 0, MAX_TOP_LOGPROBS).orElse(0);
        settings.put("top_logprobs", top);
        return included || top > 0 ? OptionalInt.of(top) : OptionalInt.empty();
    }

    private static boolean truncate(JsonObject body, ObjectNode settings) {
        String truncation = body.text("truncation");
        if (truncation != null && !truncation.equals("auto") && !truncation.equals("disabled")) {
            throw ApiException.badField("truncation", "'truncation' must be auto or disabled.");
        }
        settings.put("truncation", truncation == null ? "disabled" : truncation);
        return "auto".equals(truncation);
    }
}
