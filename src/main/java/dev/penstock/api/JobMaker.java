package dev.penstock.api;

import dev.penstock.model.GenerationRequest;
import dev.penstock.prompt.PlainTemplate;
import dev.penstock.prompt.PromptRenderer;
import dev.penstock.prompt.ServedModel;
import dev.penstock.prompt.TemplateException;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Turns a request that was read into a job: renders and encodes the prompt, checks that it fits. */
@ApplicationScoped
class JobMaker {
    /** No tokenizer takes more characters into one token: a text above this many times the context need not be encoded. */
    private static final int MAX_CHARS_PER_TOKEN = 256;

    private static final long MS_PER_S = 1000;

    /** The job of a chat request for this model. */
    Job chat(ServedModel model, ChatRequest request) {
        checkLength(
                model,
                request.messages().stream()
                        .mapToLong(m -> String.valueOf(m.get("content")).length())
                        .sum(),
                "messages");
        boolean plain = model.template() == null;
        int[] prompt = encode(model, render(model, request), plain || request.addSpecialTokens(), "messages");
        List<String> extraStop = plain ? PlainTemplate.STOP : List.of();
        // Without a limit a reply may fill the context.
        int defaultMaxTokens = model.contextLength();
        return job(
                "chatcmpl-",
                request.model(),
                model,
                List.of(prompt),
                request.sampling(),
                defaultMaxTokens,
                extraStop,
                request.n(),
                request.streaming());
    }

    /** The job of a completion request for this model. */
    Job completion(ServedModel model, CompletionRequest request) {
        List<int[]> prompts = new ArrayList<>(request.prompts().size());
        for (int i = 0; i < request.prompts().size(); i++) {
            String param = request.prompts().size() == 1 ? "prompt" : "prompt[" + i + "]";
            prompts.add(
                    switch (request.prompts().get(i)) {
                        case CompletionRequest.Prompt.Text(String text) ->
                            encode(model, text, request.addSpecialTokens(), param);
                        case CompletionRequest.Prompt.Tokens(int[] ids) -> checked(model, ids, param);
                    });
        }
        return job(
                "cmpl-",
                request.model(),
                model,
                prompts,
                request.sampling(),
                CompletionRequest.DEFAULT_MAX_TOKENS,
                List.of(),
                request.n(),
                request.streaming());
    }

    private static Job job(
            String idPrefix,
            String modelName,
            ServedModel model,
            List<int[]> prompts,
            SamplingFields sampling,
            int defaultMaxTokens,
            List<String> extraStop,
            int n,
            StreamFields streaming) {
        String id = idPrefix + UUID.randomUUID().toString().replace("-", "");
        List<GenerationRequest> sequences = new ArrayList<>(prompts.size() * n);
        for (int[] prompt : prompts) {
            for (int i = 0; i < n; i++) {
                sequences.add(new GenerationRequest(
                        id + "/" + sequences.size(),
                        prompt,
                        sampling.resolve(model, prompt.length, i, defaultMaxTokens, extraStop)));
            }
        }
        return new Job(
                id,
                System.currentTimeMillis() / MS_PER_S,
                modelName,
                model,
                List.copyOf(sequences),
                n,
                sampling.topLogprobs().isPresent(),
                streaming);
    }

    private static String render(ServedModel model, ChatRequest request) {
        try {
            return PromptRenderer.render(
                    model, request.messages(), request.templateVariables(), request.addGenerationPrompt());
        } catch (TemplateException e) {
            throw ApiException.badField(
                    "messages", "The model's chat template does not take this conversation: " + e.getMessage());
        }
    }

    private static int[] encode(ServedModel model, String text, boolean addSpecialTokens, String param) {
        checkLength(model, text.length(), param);
        return checked(model, model.tokenizer().encode(text, addSpecialTokens), param);
    }

    /** Refuses what can't fit before time is spent on it. */
    private static void checkLength(ServedModel model, long chars, String param) {
        if (chars > (long) model.contextLength() * MAX_CHARS_PER_TOKEN) {
            throw ApiException.promptTooLong(param, "at least " + chars / MAX_CHARS_PER_TOKEN, model.contextLength());
        }
    }

    private static int[] checked(ServedModel model, int[] prompt, String param) {
        if (prompt.length == 0) {
            throw ApiException.badField(param, "'" + param + "' must have at least one token.");
        }
        if (prompt.length >= model.contextLength()) {
            throw ApiException.promptTooLong(param, Integer.toString(prompt.length), model.contextLength());
        }
        int vocabSize = model.tokenizer().vocabSize();
        for (int token : prompt) {
            if (token >= vocabSize) {
                throw ApiException.badField(
                        param,
                        "'" + param + "' has token " + token + ", but the model's tokens are 0 to " + (vocabSize - 1)
                                + ".");
            }
        }
        return prompt;
    }
}
