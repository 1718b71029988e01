package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.SerializedString;
import dev.penstock.api.AssistantMessage.Call;
import dev.penstock.model.TokenLogprob;
import dev.penstock.prompt.dialogue.Piece;
import java.io.IOException;
import java.util.List;

/** Replies of {@code /v1/chat/completions}. */
final class ChatFormat implements ReplyFormat {
    private static final SerializableString DELTA = new SerializedString("delta");
    private static final SerializableString CONTENT = new SerializedString("content");

    /** As DeepSeek's API named it, and vLLM and llama.cpp after it. */
    private static final String REASONING = "reasoning_content";

    private final boolean legacyCalls;

    /**
     * Replies that write calls of tools in one of the two ways.
     *
     * @param legacyCalls as {@code function_call}, of which there is one
     */
    ChatFormat(boolean legacyCalls) {
        this.legacyCalls = legacyCalls;
    }

    @Override
    public String replyObject() {
        return "chat.completion";
    }

    @Override
    public String chunkObject() {
        return "chat.completion.chunk";
    }

    @Override
    public void whole(JsonGenerator json, String echo, AssistantMessage message) throws IOException {
        boolean onlyCalls = !message.calls().isEmpty() && message.text().isBlank();
        json.writeObjectFieldStart("message");
        json.writeStringField("role", "assistant");
        json.writeStringField("content", onlyCalls ? null : message.text());
        json.writeNullField("refusal");
        if (!message.reasoning().isEmpty()) {
            json.writeStringField(REASONING, message.reasoning());
        }
        if (!message.calls().isEmpty()) {
            calls(json, message.calls());
        }
        json.writeEndObject();
    }

    private void calls(JsonGenerator json, List<Call> calls) throws IOException {
        if (legacyCalls) {
            json.writeFieldName("function_call");
            function(json, calls.getFirst().name(), calls.getFirst().arguments());
            return;
        }
        json.writeArrayFieldStart("tool_calls");
        for (Call call : calls) {
            json.writeStartObject();
            json.writeStringField("id", call.id());
            json.writeStringField("type", "function");
            json.writeFieldName("function");
            function(json, call.name(), call.arguments());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void function(JsonGenerator json, String name, String arguments) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", name);
        json.writeStringField("arguments", arguments);
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
    public boolean shows(Piece piece) {
        return !(piece instanceof Piece.CallEnds) && !(legacyCalls && isLaterCall(piece));
    }

    /** The older form has room for one. */
    private static boolean isLaterCall(Piece piece) {
        return switch (piece) {
            case Piece.CallBegins begins -> begins.index() > 0;
            case Piece.Arguments arguments -> arguments.index() > 0;
            case Piece.Text text -> false;
            case Piece.Reasoning reasoning -> false;
            case Piece.CallEnds ends -> true;
        };
    }

    @Override
    public void piece(JsonGenerator json, Piece piece, AssistantMessage message) throws IOException {
        json.writeFieldName(DELTA);
        json.writeStartObject();
        switch (piece) {
            case Piece.Text(String text) -> {
                json.writeFieldName(CONTENT);
                json.writeString(text);
            }
            case Piece.Reasoning(String text) -> json.writeStringField(REASONING, text);
            case Piece.CallBegins(int index, String name) -> callBegins(json, index, name, message);
            case Piece.Arguments(int index, String more) -> arguments(json, index, more);
            case Piece.CallEnds ends -> {}
        }
        json.writeEndObject();
    }

    private void callBegins(JsonGenerator json, int index, String name, AssistantMessage message) throws IOException {
        if (legacyCalls) {
            json.writeFieldName("function_call");
            function(json, name, "");
            return;
        }
        json.writeArrayFieldStart("tool_calls");
        json.writeStartObject();
        json.writeNumberField("index", index);
        json.writeStringField("id", message.calls().get(index).id());
        json.writeStringField("type", "function");
        json.writeFieldName("function");
        function(json, name, "");
        json.writeEndObject();
        json.writeEndArray();
    }

    private void arguments(JsonGenerator json, int index, String more) throws IOException {
        if (!legacyCalls) {
            json.writeArrayFieldStart("tool_calls");
            json.writeStartObject();
            json.writeNumberField("index", index);
        }
        json.writeObjectFieldStart(legacyCalls ? "function_call" : "function");
        json.writeStringField("arguments", more);
        json.writeEndObject();
        if (!legacyCalls) {
            json.writeEndObject();
            json.writeEndArray();
        }
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
            token(json, logprob);
        }
        json.writeEndArray();
        json.writeNullField("refusal");
        json.writeEndObject();
    }

    /** Writes a token with its alternatives. */
    static void token(JsonGenerator json, TokenLogprob logprob) throws IOException {
        json.writeStartObject();
        fields(json, logprob);
        json.writeArrayFieldStart("top_logprobs");
        for (TokenLogprob top : logprob.top()) {
            json.writeStartObject();
            fields(json, top);
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void fields(JsonGenerator json, TokenLogprob logprob) throws IOException {
        json.writeStringField("token", logprob.text());
        json.writeNumberField("logprob", ReplyFormat.finite(logprob.logprob()));
        json.writeArrayFieldStart("bytes");
        for (byte b : logprob.bytes()) {
            json.writeNumber(b & 0xFF);
        }
        json.writeEndArray();
    }
}
