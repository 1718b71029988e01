package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * The body of {@code POST /v1/completions}, read and checked.
 *
 * @param prompts at least one
 * @param addSpecialTokens whether the tokenizer adds its own begin token to prompts that are text
 */
record CompletionRequest(
        String model,
        List<Prompt> prompts,
        boolean addSpecialTokens,
        SamplingFields sampling,
        int n,
        StreamFields streaming) {

    /** What the contract documents where a request sets no limit. */
    static final int DEFAULT_MAX_TOKENS = 16;

    /** One request may not take the server's whole queue. */
    static final int MAX_SEQUENCES = 256;

    /** The contract says 5; vLLM's clients ask for up to 20. */
    private static final int MAX_LOGPROBS = 20;

    /** A prompt as it came. */
    sealed interface Prompt {
        /** To be encoded. */
        record Text(String text) implements Prompt {}

        /** Token ids. */
        record Tokens(int[] ids) implements Prompt {}
    }

    static CompletionRequest read(JsonObject body) {
        String model = body.requiredText("model");
        JsonNode prompt = body.get("prompt");
        if (prompt == null) {
            throw body.missing("prompt");
        }
        List<Prompt> prompts = prompts(prompt);
        int n = body.integer("n", 1, ChatRequest.MAX_CHOICES).orElse(1);
        if ((long) prompts.size() * n > MAX_SEQUENCES) {
            throw ApiException.badField(
                    prompts.size() > 1 ? "prompt" : "n",
                    "Prompts times 'n' must be at most " + MAX_SEQUENCES + "; split the request.");
        }
        Refusals.checkCompletion(body, n);
        // The contract's name first, as it is this endpoint's own.
        OptionalInt own = body.integer("max_tokens", 1, Integer.MAX_VALUE);
        OptionalInt newer = body.integer("max_completion_tokens", 1, Integer.MAX_VALUE);
        return new CompletionRequest(
                model,
                prompts,
                body.flag("add_special_tokens", true),
                SamplingFields.read(body, newer.isPresent() ? newer : own, body.integer("logprobs", 0, MAX_LOGPROBS)),
                n,
                StreamFields.read(body));
    }

    private static List<Prompt> prompts(JsonNode prompt) {
        if (prompt.isTextual()) {
            return List.of(new Prompt.Text(JsonObject.text(prompt, "prompt")));
        }
        if (!prompt.isArray()) {
            throw JsonObject.wrongType("prompt", "a string, an array of strings or token ids", prompt);
        }
        if (prompt.isEmpty()) {
            throw ApiException.badField("prompt", "'prompt' must not be empty.");
        }
        if (prompt.get(0).isNumber()) {
            return List.of(tokens(prompt, "prompt"));
        }
        List<Prompt> prompts = new ArrayList<>(prompt.size());
        for (int i = 0; i < prompt.size(); i++) {
            JsonNode element = prompt.get(i);
            String path = "prompt[" + i + "]";
            if (element.isArray() && prompt.get(0).isArray()) {
                prompts.add(tokens(element, path));
            } else if (element.isTextual() && prompt.get(0).isTextual()) {
                prompts.add(new Prompt.Text(JsonObject.text(element, path)));
            } else {
                throw JsonObject.wrongType(
                        path, prompt.get(0).isArray() ? "an array of token ids" : "a string", element);
            }
        }
        return prompts;
    }

    private static Prompt tokens(JsonNode array, String path) {
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = JsonObject.integer(array.get(i), path, 0, Integer.MAX_VALUE);
        }
        return new Prompt.Tokens(ids);
    }
}
