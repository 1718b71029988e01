package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The body of {@code POST /v1/completions}, read and checked.
 *
 * @param prompts at least one
 * @param addSpecialTokens whether the tokenizer adds its own begin token to prompts that are text
 * @param suffix what comes after the completion, for models that fill in; null for nothing
 * @param echo whether a reply begins with its prompt
 * @param silent whether the completions are not wanted, only what the model thinks of the prompts
 * @param n choices of a prompt
 * @param bestOf candidates that they are taken from
 * @param format what the completion must be; null for any text
 */
record CompletionRequest(
        String model,
        List<Prompt> prompts,
        boolean addSpecialTokens,
        @Nullable String suffix,
        boolean echo,
        boolean silent,
        SamplingFields sampling,
        int n,
        int bestOf,
        @Nullable FormatFields format,
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
        StreamFields streaming = StreamFields.read(body);
        int bestOf = bestOf(body, n, streaming);
        if ((long) prompts.size() * bestOf > MAX_SEQUENCES) {
            throw ApiException.badField(
                    prompts.size() > 1 ? "prompt" : bestOf > n ? "best_of" : "n",
                    "Prompts times 'n' or 'best_of' must be at most " + MAX_SEQUENCES + "; split the request.");
        }
        Refusals.checkCompletion(body);
        boolean echo = body.flag("echo", false);
        // Nothing to be made is of use only to whoever wants to see the prompt.
        int least = echo ? 0 : 1;
        OptionalInt own = body.integer("max_tokens", least, Integer.MAX_VALUE);
        OptionalInt newer = body.integer("max_completion_tokens", least, Integer.MAX_VALUE);
        OptionalInt limit = newer.isPresent() ? newer : own;
        boolean silent = limit.isPresent() && limit.getAsInt() == 0;
        String suffix = body.text("suffix");
        return new CompletionRequest(
                model,
                prompts,
                body.flag("add_special_tokens", true),
                suffix == null || suffix.isEmpty() ? null : suffix,
                echo,
                silent,
                SamplingFields.read(
                        body, silent ? OptionalInt.of(1) : limit, body.integer("logprobs", 0, MAX_LOGPROBS)),
                n,
                bestOf,
                FormatFields.read(body),
                streaming);
    }

    private static int bestOf(JsonObject body, int n, StreamFields streaming) {
        int bestOf = body.integer("best_of", 0, ChatRequest.MAX_CHOICES).orElse(n);
        if (bestOf > n && streaming.stream()) {
            throw ApiException.badField(
                    "best_of", "'best_of' greater than 'n' can't be streamed: the best is known at the end.");
        }
        if (bestOf != 0 && bestOf < n) {
            throw ApiException.badField("best_of", "'best_of' (" + bestOf + ") must be at least 'n' (" + n + ").");
        }
        return Math.max(n, bestOf);
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
