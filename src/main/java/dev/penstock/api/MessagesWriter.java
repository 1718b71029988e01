package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.penstock.api.OutputItem.Kind;
import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent.Finished;
import dev.penstock.model.TokenLogprob;
import dev.penstock.model.Usage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Replies of {@code /v1/messages}, as Anthropic's clients read them: a message of blocks, or its events. */
final class MessagesWriter implements ReplyWriter {
    private final Job job;
    private final MessagesRequest request;
    private final OutputItems items;
    private boolean begun;

    MessagesWriter(Job job, MessagesRequest request) {
        this.job = job;
        this.request = request;
        items = new OutputItems(job);
    }

    @Override
    public boolean complete() {
        return items.finished() != null;
    }

    @Override
    public Usage usage() {
        return items.usage().sum();
    }

    @Override
    public void collect(Choices.Piece piece, @Nullable Finished end) {
        try {
            items.add(piece, end, OutputItems.Listener.NONE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void whole(JsonGenerator json) throws IOException {
        json.writeStartObject();
        message(json, items.all(), items.finished());
        json.writeEndObject();
    }

    private void message(JsonGenerator json, List<OutputItem> blocks, @Nullable Finished end) throws IOException {
        json.writeStringField("id", job.id());
        json.writeStringField("type", "message");
        json.writeStringField("role", "assistant");
        json.writeStringField("model", job.modelName());
        json.writeArrayFieldStart("content");
        for (OutputItem block : blocks) {
            block(json, block, block.text());
        }
        json.writeEndArray();
        ending(json, end);
        Usage now = end == null ? new Usage(job.sequences().getFirst().promptTokens().length, 0, 0) : end.usage();
        usage(json, now);
    }

    private static void block(JsonGenerator json, OutputItem block, String text) throws IOException {
        json.writeStartObject();
        switch (block.kind()) {
            case REASONING -> {
                json.writeStringField("type", "thinking");
                json.writeStringField("thinking", text);
                // Nothing here checks that thoughts come back as they were.
                json.writeStringField("signature", "");
            }
            case MESSAGE -> {
                json.writeStringField("type", "text");
                json.writeStringField("text", text);
                json.writeNullField("citations");
            }
            case CALL -> {
                json.writeStringField("type", "tool_use");
                json.writeStringField("id", block.callId());
                json.writeStringField("name", block.name());
                json.writeFieldName("input");
                input(json, text);
            }
        }
        json.writeEndObject();
    }

    /** An object; an empty one where the completion ended before the arguments did. */
    private static void input(JsonGenerator json, String arguments) throws IOException {
        JsonNode input = arguments.isEmpty() ? null : WireJson.objectOrNull(arguments);
        if (input instanceof ObjectNode object) {
            json.writeTree(object);
        } else {
            json.writeStartObject();
            json.writeEndObject();
        }
    }

    private void ending(JsonGenerator json, @Nullable Finished end) throws IOException {
        @Nullable String stop = end == null ? null : end.stopSequence();
        boolean own = stop != null && request.stopSequences().contains(stop);
        json.writeStringField("stop_reason", end == null ? null : reason(end, own));
        json.writeStringField("stop_sequence", own ? stop : null);
    }

    private String reason(Finished end, boolean ownStop) {
        if (end.reason() == FinishReason.LENGTH) {
            return "max_tokens";
        }
        return items.haveCalls() ? "tool_use" : ownStop ? "stop_sequence" : "end_turn";
    }

    /** Tokens from the prefix cache are counted beside the others, not among them. */
    private static void usage(JsonGenerator json, Usage usage) throws IOException {
        json.writeObjectFieldStart("usage");
        json.writeNumberField("input_tokens", usage.promptTokens() - usage.cachedPromptTokens());
        json.writeNumberField("cache_creation_input_tokens", 0);
        json.writeNumberField("cache_read_input_tokens", usage.cachedPromptTokens());
        json.writeNumberField("output_tokens", usage.completionTokens());
        json.writeEndObject();
    }

    @Override
    public void events(EventStream out, Choices.Piece piece, @Nullable Finished end) throws IOException {
        if (!begun) {
            begun = true;
            event(out, "message_start", json -> {
                json.writeObjectFieldStart("message");
                message(json, List.of(), null);
                json.writeEndObject();
            });
        }
        items.add(piece, end, new Events(out));
    }

    @Override
    public void failure(EventStream out, ApiException error) throws IOException {
        Dialect.MESSAGES.errorEvent(out, error);
    }

    @Override
    public void end(EventStream out) throws IOException {
        event(out, "message_delta", json -> {
            json.writeObjectFieldStart("delta");
            ending(json, items.finished());
            json.writeEndObject();
            usage(json, usage());
        });
        event(out, "message_stop", json -> {});
    }

    private static void event(EventStream out, String type, WireJson.Part fields) throws IOException {
        out.event(type, json -> {
            json.writeStartObject();
            json.writeStringField("type", type);
            fields.write(json);
            json.writeEndObject();
        });
    }

    /** Writes the events of blocks. */
    private record Events(EventStream out) implements OutputItems.Listener {
        @Override
        public void opened(OutputItem block) throws IOException {
            event(out, "content_block_start", json -> {
                json.writeNumberField("index", block.index());
                json.writeFieldName("content_block");
                block(json, block, "");
            });
        }

        @Override
        public void grew(OutputItem block, String more, List<TokenLogprob> logprobs) throws IOException {
            event(out, "content_block_delta", json -> {
                json.writeNumberField("index", block.index());
                json.writeObjectFieldStart("delta");
                json.writeStringField("type", deltaType(block.kind()));
                json.writeStringField(deltaField(block.kind()), more);
                json.writeEndObject();
            });
        }

        private static String deltaType(Kind kind) {
            return switch (kind) {
                case REASONING -> "thinking_delta";
                case MESSAGE -> "text_delta";
                case CALL -> "input_json_delta";
            };
        }

        private static String deltaField(Kind kind) {
            return switch (kind) {
                case REASONING -> "thinking";
                case MESSAGE -> "text";
                case CALL -> "partial_json";
            };
        }

        @Override
        public void closed(OutputItem block) throws IOException {
            event(out, "content_block_stop", json -> json.writeNumberField("index", block.index()));
        }
    }
}
