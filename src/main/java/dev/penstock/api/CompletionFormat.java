package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.penstock.model.TokenLogprob;
import dev.penstock.prompt.dialogue.Piece;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Replies of {@code /v1/completions}: a chunk looks like a whole reply, and log probabilities are parallel arrays. */
final class CompletionFormat implements ReplyFormat {
    @Override
    public String replyObject() {
        return "text_completion";
    }

    @Override
    public String chunkObject() {
        return "text_completion";
    }

    @Override
    public void whole(JsonGenerator json, String echo, AssistantMessage message) throws IOException {
        json.writeStringField("text", echo + message.text());
    }

    @Override
    public boolean hasOpening() {
        return false;
    }

    @Override
    public void opening(JsonGenerator json) throws IOException {
        json.writeStringField("text", "");
    }

    @Override
    public boolean shows(Piece piece) {
        return piece instanceof Piece.Text;
    }

    @Override
    public void piece(JsonGenerator json, Piece piece, AssistantMessage message) throws IOException {
        if (piece instanceof Piece.Text(String text)) {
            json.writeStringField("text", text);
        }
    }

    @Override
    public void closing(JsonGenerator json) throws IOException {
        json.writeStringField("text", "");
    }

    /** Offsets count characters of the reply's text. A NaN stands for a token that nothing comes before: it has none. */
    @Override
    public void logprobs(JsonGenerator json, List<TokenLogprob> logprobs, int textOffset) throws IOException {
        json.writeStartObject();
        json.writeArrayFieldStart("tokens");
        for (TokenLogprob logprob : logprobs) {
            json.writeString(logprob.text());
        }
        json.writeEndArray();
        json.writeArrayFieldStart("token_logprobs");
        for (TokenLogprob logprob : logprobs) {
            if (Float.isNaN(logprob.logprob())) {
                json.writeNull();
            } else {
                json.writeNumber(ReplyFormat.finite(logprob.logprob()));
            }
        }
        json.writeEndArray();
        json.writeArrayFieldStart("top_logprobs");
        for (TokenLogprob logprob : logprobs) {
            if (Float.isNaN(logprob.logprob())) {
                json.writeNull();
                continue;
            }
            json.writeStartObject();
            for (Map.Entry<String, Float> top : top(logprob).entrySet()) {
                json.writeNumberField(top.getKey(), ReplyFormat.finite(top.getValue()));
            }
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeArrayFieldStart("text_offset");
        int offset = textOffset;
        for (TokenLogprob logprob : logprobs) {
            json.writeNumber(offset);
            offset += logprob.text().length();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /** The most likely tokens by their text, of tokens that read alike the more likely one, and the one that was taken. */
    private static Map<String, Float> top(TokenLogprob logprob) {
        Map<String, Float> top = new LinkedHashMap<>();
        for (TokenLogprob candidate : logprob.top()) {
            top.putIfAbsent(candidate.text(), candidate.logprob());
        }
        top.putIfAbsent(logprob.text(), logprob.logprob());
        return top;
    }
}
