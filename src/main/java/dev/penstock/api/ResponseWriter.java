package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.penstock.api.OutputItem.Kind;
import dev.penstock.api.ResponseObject.Status;
import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent.Finished;
import dev.penstock.model.TokenLogprob;
import dev.penstock.model.Usage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Replies of {@code /v1/responses}: a {@code Response} object, or the events in which it comes to be. */
final class ResponseWriter implements ReplyWriter {
    private final ResponseObject object;
    private final OutputItems items;
    private final Consumer<byte[]> keeper;
    private int sequence;
    private boolean begun;

    /**
     * Nothing yet.
     *
     * @param keeper given the whole response before its caller is
     */
    ResponseWriter(Job job, ResponseRequest request, Consumer<byte[]> keeper) {
        object = new ResponseObject(job, request);
        items = new OutputItems(job);
        this.keeper = keeper;
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
        keep(last(), null);
        write(json, last(), null);
    }

    /** Hands the response, as far as it has come, to who keeps it. */
    void keep(Status status, @Nullable ApiException error) {
        keeper.accept(snapshot(status, error));
    }

    /** The response as far as it has come. */
    byte[] snapshot(Status status, @Nullable ApiException error) {
        return WireJson.bytes(json -> write(json, status, error));
    }

    /** How it ended. */
    Status last() {
        Finished end = items.finished();
        return end != null && end.reason() == FinishReason.LENGTH ? Status.INCOMPLETE : Status.COMPLETED;
    }

    private void write(JsonGenerator json, Status status, @Nullable ApiException error) throws IOException {
        object.write(json, status, items.all(), status.isLast() && complete() ? items.usage() : null, error);
    }

    @Override
    public void events(EventStream out, Choices.Piece piece, @Nullable Finished end) throws IOException {
        if (!begun) {
            begun = true;
            response(out, "response.created", Status.IN_PROGRESS, null);
            response(out, "response.in_progress", Status.IN_PROGRESS, null);
        }
        items.add(piece, end, new Events(out));
    }

    @Override
    public void failure(EventStream out, ApiException error) throws IOException {
        if (begun) {
            response(out, "response.failed", Status.FAILED, error);
        } else {
            Dialect.RESPONSES.errorEvent(out, error);
        }
    }

    @Override
    public void end(EventStream out) throws IOException {
        keep(last(), null);
        boolean cut = last() == Status.INCOMPLETE;
        response(out, cut ? "response.incomplete" : "response.completed", last(), null);
    }

    private void response(EventStream out, String type, Status status, @Nullable ApiException error)
            throws IOException {
        event(out, type, json -> {
            json.writeFieldName("response");
            write(json, status, error);
        });
    }

    private void event(EventStream out, String type, WireJson.Part fields) throws IOException {
        out.event(type, json -> {
            json.writeStartObject();
            json.writeStringField("type", type);
            json.writeNumberField("sequence_number", sequence++);
            fields.write(json);
            json.writeEndObject();
        });
    }

    /** Writes the events of items. */
    private final class Events implements OutputItems.Listener {
        private final EventStream out;

        Events(EventStream out) {
            this.out = out;
        }

        @Override
        public void opened(OutputItem item) throws IOException {
            item("response.output_item.added", item);
            if (item.kind() != Kind.CALL) {
                part("response.content_part.added", item, "", List.of());
            }
        }

        @Override
        public void grew(OutputItem item, String more, List<TokenLogprob> logprobs) throws IOException {
            text(stem(item) + ".delta", item, "delta", more, logprobs);
        }

        @Override
        public void closed(OutputItem item) throws IOException {
            text(
                    stem(item) + ".done",
                    item,
                    item.kind() == Kind.CALL ? "arguments" : "text",
                    item.text(),
                    item.logprobs());
            if (item.kind() != Kind.CALL) {
                part("response.content_part.done", item, item.text(), item.logprobs());
            }
            item("response.output_item.done", item);
        }

        private static String stem(OutputItem item) {
            return switch (item.kind()) {
                case REASONING -> "response.reasoning_text";
                case MESSAGE -> "response.output_text";
                case CALL -> "response.function_call_arguments";
            };
        }

        private void item(String type, OutputItem item) throws IOException {
            event(out, type, json -> {
                json.writeNumberField("output_index", item.index());
                json.writeFieldName("item");
                ResponseObject.item(json, item, false);
            });
        }

        private void part(String type, OutputItem item, String text, List<TokenLogprob> logprobs) throws IOException {
            event(out, type, json -> {
                place(json, item);
                json.writeFieldName("part");
                ResponseObject.part(json, item, text, logprobs);
            });
        }

        private void text(String type, OutputItem item, String field, String text, List<TokenLogprob> logprobs)
                throws IOException {
            event(out, type, json -> {
                place(json, item);
                if (field.equals("arguments")) {
                    json.writeStringField("name", item.name());
                }
                json.writeStringField(field, text);
                if (item.kind() == Kind.MESSAGE) {
                    ResponseObject.logprobs(json, logprobs);
                }
            });
        }

        private static void place(JsonGenerator json, OutputItem item) throws IOException {
            json.writeStringField("item_id", item.id());
            json.writeNumberField("output_index", item.index());
            if (item.kind() != Kind.CALL) {
                json.writeNumberField("content_index", 0);
            }
        }
    }
}
