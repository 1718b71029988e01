package dev.penstock.api;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A conversation to go on with, read and checked: the body of {@code POST /v1/chat/completions}, or what another endpoint's says in
 * its own words.
 *
 * @param field where the messages came in, for errors
 * @param messages at least one, see {@link MessageFields#read}
 * @param templateVariables what else the template sees
 * @param addGenerationPrompt whether the template opens the assistant's turn
 * @param addSpecialTokens whether the tokenizer adds its own begin token to what the template wrote
 * @param tools what the model may call
 * @param format what the reply's text must be; null for any text
 * @param serviceTier as it was asked for
 */
record ChatRequest(
        String model,
        String field,
        List<Map<String, Object>> messages,
        Map<String, @Nullable Object> templateVariables,
        boolean addGenerationPrompt,
        boolean addSpecialTokens,
        SamplingFields sampling,
        int n,
        ToolFields tools,
        @Nullable FormatFields format,
        @Nullable String serviceTier,
        StreamFields streaming) {

    private static final int MAX_TOP_LOGPROBS = 20;
    static final int MAX_CHOICES = 128;

    static ChatRequest read(JsonObject body) {
        return read(body, body.requiredText("model"));
    }

    /** The same of a body that need not name the model. */
    static ChatRequest read(JsonObject body, String model) {
        List<Map<String, Object>> messages = MessageFields.read(body);
        Refusals.checkChat(body);
        OptionalInt newer = body.integer("max_completion_tokens", 1, Integer.MAX_VALUE);
        OptionalInt older = body.integer("max_tokens", 1, Integer.MAX_VALUE);
        StreamFields streaming = StreamFields.read(body);
        return new ChatRequest(
                model,
                "messages",
                messages,
                templateVariables(body),
                body.flag("add_generation_prompt", true),
                body.flag("add_special_tokens", false),
                SamplingFields.read(body, newer.isPresent() ? newer : older, topLogprobs(body)),
                body.integer("n", 1, MAX_CHOICES).orElse(1),
                ToolFields.read(body),
                FormatFields.read(body),
                CommonFields.serviceTier(body),
                streaming);
    }

    /** The same with other messages. */
    ChatRequest withMessages(List<Map<String, Object>> others) {
        return new ChatRequest(
                model,
                field,
                List.copyOf(others),
                templateVariables,
                addGenerationPrompt,
                addSpecialTokens,
                sampling,
                n,
                tools,
                format,
                serviceTier,
                streaming);
    }

    private static Map<String, @Nullable Object> templateVariables(JsonObject body) {
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        reasoningEffort(body.text("reasoning_effort"), variables);
        if (body.get("documents") != null) {
            variables.put("documents", body.plain().get("documents"));
        }
        JsonObject kwargs = body.object("chat_template_kwargs");
        if (kwargs != null) {
            variables.putAll(kwargs.plain());
        }
        return variables;
    }

    /** Tells the template how much to think, by the two names that templates know. */
    static void reasoningEffort(@Nullable String effort, Map<String, @Nullable Object> variables) {
        if (effort != null) {
            variables.put("reasoning_effort", effort);
            variables.put("enable_thinking", !effort.equals("none"));
        }
    }

    private static OptionalInt topLogprobs(JsonObject body) {
        boolean wanted = body.flag("logprobs", false);
        OptionalInt top = body.integer("top_logprobs", 0, MAX_TOP_LOGPROBS);
        if (!wanted && top.orElse(0) > 0) {
            throw ApiException.badField("top_logprobs", "'top_logprobs' needs 'logprobs' to be true.");
        }
        return wanted ? OptionalInt.of(top.orElse(0)) : OptionalInt.empty();
    }
}
