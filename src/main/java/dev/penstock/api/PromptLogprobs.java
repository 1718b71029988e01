package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.penstock.model.TokenLogprob;
import java.io.IOException;
import java.util.List;

/** Writes {@code prompt_logprobs} as vLLM does: for each of the prompt's tokens, by id, what the model thought likely there. */
final class PromptLogprobs {
    private PromptLogprobs() {}

    static void write(JsonGenerator json, List<TokenLogprob> prompt) throws IOException {
        json.writeArrayFieldStart("prompt_logprobs");
        for (TokenLogprob token : prompt) {
            if (Float.isNaN(token.logprob())) {
                json.writeNull();
                continue;
            }
            json.writeStartObject();
            boolean ranked = false;
            for (int i = 0; i < token.top().size(); i++) {
                TokenLogprob top = token.top().get(i);
                ranked |= top.token() == token.token();
                entry(json, top, i + 1);
            }
            if (!ranked) {
                // Its rank is known only to be below those above.
                entry(json, token, 0);
            }
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void entry(JsonGenerator json, TokenLogprob token, int rank) throws IOException {
        json.writeObjectFieldStart(Integer.toString(token.token()));
        json.writeNumberField("logprob", ReplyFormat.finite(token.logprob()));
        if (rank > 0) {
            json.writeNumberField("rank", rank);
        } else {
            json.writeNullField("rank");
        }
        json.writeStringField("decoded_token", token.text());
        json.writeEndObject();
    }
}
