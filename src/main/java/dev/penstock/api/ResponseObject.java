package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.penstock.api.OutputItem.State;
import dev.penstock.model.SamplingParams;
import dev.penstock.model.TokenLogprob;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Writes {@code Response} objects, and the items in them, by OpenAI's contract. */
final class ResponseObject {
    private final Job job;
    private final ResponseRequest request;

    ResponseObject(Job job, ResponseRequest request) {
        this.job = job;
        this.request = request;
    }

    /** What becomes of a response. */
    enum Status {
        QUEUED("queued"),
        IN_PROGRESS("in_progress"),
        COMPLETED("completed"),
        /** It has as many tokens as it may have. */
        INCOMPLETE("incomplete"),
        FAILED("failed"),
        CANCELLED("cancelled");

        private final String word;

        Status(String word) {
            this.word = word;
        }

        boolean isLast() {
            return this != QUEUED && this != IN_PROGRESS;
        }
    }

    /**
     * Writes one.
     *
     * @param usage what it took, if it has ended
     * @param error why it has failed, if it has
     */
    void write(
            JsonGenerator json,
            Status status,
            List<OutputItem> output,
            @Nullable UsageTotal usage,
            @Nullable ApiException error)
            throws IOException {
        SamplingParams sampling = job.sequences().getFirst().sampling();
        json.writeStartObject();
        json.writeStringField("id", job.id());
        json.writeStringField("object", "response");
        json.writeNumberField("created_at", job.createdS());
        if (status == Status.COMPLETED) {
            json.writeNumberField("completed_at", System.currentTimeMillis() / 1000);
        } else {
            json.writeNullField("completed_at");
        }
        json.writeStringField("status", status.word);
        error(json, error);
        if (status == Status.INCOMPLETE) {
            json.writeObjectFieldStart("incomplete_details");
            json.writeStringField("reason", "max_output_tokens");
            json.writeEndObject();
        } else {
            json.writeNullField("incomplete_details");
        }
        json.writeStringField("model", job.modelName());
        json.writeArrayFieldStart("output");
        for (OutputItem item : output) {
            item(json, item, status.isLast());
        }
        json.writeEndArray();
        json.writeNumberField("temperature", sampling.temperature());
        json.writeNumberField("top_p", sampling.topP());
        for (var setting : request.settings().properties()) {
            json.writeFieldName(setting.getKey());
            json.writeTree(setting.getValue());
        }
        if (usage != null) {
            json.writeFieldName("usage");
            usage(json, usage);
        }
        json.writeEndObject();
    }

    private static void error(JsonGenerator json, @Nullable ApiException error) throws IOException {
        if (error == null) {
            json.writeNullField("error");
            return;
        }
        json.writeObjectFieldStart("error");
        json.writeStringField("code", error.status() < 500 ? "invalid_prompt" : "server_error");
        json.writeStringField("message", error.getMessage());
        json.writeEndObject();
    }

    private static void usage(JsonGenerator json, UsageTotal usage) throws IOException {
        int input = usage.sum().promptTokens();
        int output = usage.sum().completionTokens();
        json.writeStartObject();
        json.writeNumberField("input_tokens", input);
        json.writeObjectFieldStart("input_tokens_details");
        json.writeNumberField("cached_tokens", usage.sum().cachedPromptTokens());
        // What is written to the prefix cache costs nothing, and is not counted.
        json.writeNumberField("cache_write_tokens", 0);
        json.writeEndObject();
        json.writeNumberField("output_tokens", output);
        json.writeObjectFieldStart("output_tokens_details");
        json.writeNumberField("reasoning_tokens", usage.reasoningTokens());
        json.writeEndObject();
        json.writeNumberField("total_tokens", (long) input + output);
        json.writeEndObject();
    }

    /**
     * Writes an item as far as it has come; content that has not begun is not there.
     *
     * @param over whether nothing more comes of it
     */
    static void item(JsonGenerator json, OutputItem item, boolean over) throws IOException {
        boolean hasBegun = item.state() != State.OPEN || !item.text().isEmpty();
        json.writeStartObject();
        json.writeStringField("id", item.id());
        switch (item.kind()) {
            case REASONING -> {
                json.writeStringField("type", "reasoning");
                json.writeArrayFieldStart("summary");
                json.writeEndArray();
                content(json, item, hasBegun);
            }
            case MESSAGE -> {
                json.writeStringField("type", "message");
                json.writeStringField("role", "assistant");
                content(json, item, hasBegun);
            }
            case CALL -> {
                json.writeStringField("type", "function_call");
                json.writeStringField("call_id", item.callId());
                json.writeStringField("name", item.name());
                json.writeStringField("arguments", item.text());
            }
        }
        json.writeStringField(
                "status",
                switch (item.state()) {
                    case OPEN -> over ? "incomplete" : "in_progress";
                    case WHOLE -> "completed";
                    case CUT -> "incomplete";
                });
        json.writeEndObject();
    }

    private static void content(JsonGenerator json, OutputItem item, boolean hasBegun) throws IOException {
        json.writeArrayFieldStart("content");
        if (hasBegun) {
            part(json, item, item.text(), item.logprobs());
        }
        json.writeEndArray();
    }

    /** Writes the part that an item of text or reasoning has. */
    static void part(JsonGenerator json, OutputItem item, String text, List<TokenLogprob> logprobs) throws IOException {
        json.writeStartObject();
        if (item.kind() == OutputItem.Kind.REASONING) {
            json.writeStringField("type", "reasoning_text");
            json.writeStringField("text", text);
        } else {
            json.writeStringField("type", "output_text");
            json.writeStringField("text", text);
            json.writeArrayFieldStart("annotations");
            json.writeEndArray();
            logprobs(json, logprobs);
        }
        json.writeEndObject();
    }

    /** Writes the field {@code logprobs}. */
    static void logprobs(JsonGenerator json, List<TokenLogprob> logprobs) throws IOException {
        json.writeArrayFieldStart("logprobs");
        for (TokenLogprob logprob : logprobs) {
            ChatFormat.token(json, logprob);
        }
        json.writeEndArray();
    }
}
