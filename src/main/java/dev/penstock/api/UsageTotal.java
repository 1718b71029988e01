package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.penstock.model.Usage;
import java.io.IOException;

/** The tokens of a whole request: each prompt once, however many choices were made of it. For one thread. */
final class UsageTotal {
    private final int choicesPerPrompt;
    private long promptTokens;
    private long cachedTokens;
    private long completionTokens;
    private long reasoningTokens;

    UsageTotal(int choicesPerPrompt) {
        this.choicesPerPrompt = choicesPerPrompt;
    }

    /** Adds what a choice took, with how much of it was reasoning. */
    void add(int choice, Usage usage, int reasoning) {
        completionTokens += usage.completionTokens();
        reasoningTokens += reasoning;
        if (choice % choicesPerPrompt == 0) {
            promptTokens += usage.promptTokens();
            cachedTokens += usage.cachedPromptTokens();
        }
    }

    /** All of them; what is above an integer stops there. */
    Usage sum() {
        return new Usage(
                Math.clamp(promptTokens, 0, Integer.MAX_VALUE),
                Math.clamp(cachedTokens, 0, Integer.MAX_VALUE),
                Math.clamp(completionTokens, 0, Integer.MAX_VALUE));
    }

    /** Tokens of all choices up to the end of their reasoning. */
    long reasoningTokens() {
        return reasoningTokens;
    }

    /** Writes the object that is called {@code usage}. */
    void write(JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeNumberField("prompt_tokens", promptTokens);
        json.writeNumberField("completion_tokens", completionTokens);
        json.writeNumberField("total_tokens", promptTokens + completionTokens);
        json.writeObjectFieldStart("prompt_tokens_details");
        json.writeNumberField("cached_tokens", cachedTokens);
        json.writeNumberField("audio_tokens", 0);
        json.writeEndObject();
        json.writeObjectFieldStart("completion_tokens_details");
        json.writeNumberField("reasoning_tokens", reasoningTokens);
        json.writeNumberField("audio_tokens", 0);
        json.writeNumberField("accepted_prediction_tokens", 0);
        json.writeNumberField("rejected_prediction_tokens", 0);
        json.writeEndObject();
        json.writeEndObject();
    }
}
