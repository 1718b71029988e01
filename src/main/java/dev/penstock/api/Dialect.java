package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.penstock.model.WireRequest.Endpoint;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.io.UncheckedIOException;

/** What the clients of an endpoint expect around a reply: the shape of errors, and how events are set. */
enum Dialect {
    /** OpenAI's chats and completions: events without a name, the last one {@code [DONE]}. */
    CHOICES,
    /** OpenAI's responses: each event bears its type as its name. */
    RESPONSES,
    /** Anthropic's messages: as those of responses, with errors of its own. */
    MESSAGES;

    /** Anthropic's status for what OpenAI answers with 503. */
    private static final int OVERLOADED = 529;

    static Dialect of(Endpoint endpoint) {
        return switch (endpoint) {
            case CHAT, COMPLETIONS, EMBEDDINGS, RERANK -> CHOICES;
            case RESPONSES -> RESPONSES;
            case MESSAGES -> MESSAGES;
        };
    }

    /** The dialect of what lies at a path. */
    static Dialect ofPath(String path) {
        return path.equals("/v1/messages") || path.startsWith("/v1/messages/") ? MESSAGES : CHOICES;
    }

    /** Whether an event is named by its type. */
    boolean namesEvents() {
        return this != CHOICES;
    }

    /** The status of an error. */
    int status(ApiException error) {
        return this == MESSAGES && isOverload(error) ? OVERLOADED : error.status();
    }

    private static boolean isOverload(ApiException error) {
        return error.status() == 503 && ApiException.OVERLOADED.equals(error.code());
    }

    /** The document of an error. */
    byte[] body(ApiException error) {
        return this == MESSAGES ? WireJson.bytes(json -> writeAnthropic(json, error)) : WireJson.error(error);
    }

    /** The event of an error, for a stream in which nothing but comments was sent. */
    Buffer errorEvent(ApiException error) {
        try {
            EventStream out = new EventStream();
            errorEvent(out, error);
            return out.finish();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes the event of an error. */
    void errorEvent(EventStream out, ApiException error) throws IOException {
        switch (this) {
            case CHOICES -> out.event(json -> WireJson.writeError(json, error));
            case RESPONSES ->
                out.event("error", json -> {
                    json.writeStartObject();
                    json.writeStringField("type", "error");
                    json.writeNumberField("sequence_number", 0);
                    json.writeStringField("code", error.code());
                    json.writeStringField("message", error.getMessage());
                    json.writeStringField("param", error.param());
                    json.writeEndObject();
                });
            case MESSAGES -> out.event("error", json -> writeAnthropic(json, error));
        }
    }

    private static void writeAnthropic(JsonGenerator json, ApiException error) throws IOException {
        json.writeStartObject();
        json.writeStringField("type", "error");
        json.writeObjectFieldStart("error");
        json.writeStringField("type", anthropicType(error));
        json.writeStringField("message", error.getMessage());
        json.writeEndObject();
        json.writeEndObject();
    }

    private static String anthropicType(ApiException error) {
        if (isOverload(error)) {
            return "overloaded_error";
        }
        return switch (error.status()) {
            case 401 -> "authentication_error";
            case 402 -> "billing_error";
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 413 -> "request_too_large";
            case 429 -> "rate_limit_error";
            case 408, 504 -> "timeout_error";
            default -> error.status() < 500 ? "invalid_request_error" : "api_error";
        };
    }
}
