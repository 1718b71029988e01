package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.SerializedString;
import dev.penstock.model.TokenLogprob;
import java.io.IOException;
import java.util.List;

/** Replies of {@code /v1/chat/completions}. */
final class ChatFormat implements ReplyFormat {
    private static final SerializableString DELTA = new SerializedString("delta");
    private static final SerializableString CONTENT = new SerializedString("content");

    @Override
    public String replyObject() {
        return "chat.completion";
    }

    @Override
    public String chunkObject() {
        return "chat.completion.chunk";
    }

    @Override
    public void whole(JsonGenerator json, String text) throws IOException {
        json.writeObjectFieldStart("message");
        json.writeStringField("role", "assistant");
        json.writeStringField("content", text);
        json.writeNullField("refusal");
        json.writeEndObject();
    }

    @Override
    public boolean hasOpening() {
        return true;
    }

    @Override
    public void opening(JsonGenerator json) throws IOException {
        json.writeFieldName(DELTA);
        json.writeStartObject();
        json.writeStringField("role", "assistant");
        json.writeStringField("content", "");
        json.writeNullField("refusal");
        json.writeEndObject();
    }

    @Override
    public void text(JsonGenerator json, String text) throws IOException {
        json.writeFieldName(DELTA);
        json.writeStartObject();
        json.writeFieldName(CONTENT);
        json.writeString(text);
        json.writeEndObject();
    }

    @Override
    public void closing(JsonGenerator json) throws IOException {
        json.writeFieldName(DELTA);
        json.writeStartObject();
        json.writeEndObject();
    }

    @Override
    public void logprobs(JsonGenerator json, List<TokenLogprob> logprobs, int textOffset) throws IOException {
        json.writeStartObject();
        json.writeArrayFieldStart("content");
        for (TokenLogprob logprob : logprobs) {
            json.writeStartObject();
            token(json, logprob);
            json.writeArrayFieldStart("top_logprobs");
            for (TokenLogprob top : logprob.top()) {
                json.writeStartObject();
                token(json, top);
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeNullField("refusal");
        json.writeEndObject();
    }

    private static void token(JsonGenerator json, TokenLogprob logprob) throws IOException {
        json.writeStringField("token", logprob.text());
        json.writeNumberField("logprob", ReplyFormat.finite(logprob.logprob()));
        json.writeArrayFieldStart("bytes");
        for (byte b : logprob.bytes()) {
            json.writeNumber(b & 0xFF);
        }
        json.writeEndArray();
    }
}
