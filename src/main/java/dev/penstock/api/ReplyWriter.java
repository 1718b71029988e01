package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent.Finished;
import dev.penstock.model.TokenLogprob;
import dev.penstock.model.Usage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Writes the reply of one job, whole or in chunks; keeps what has to be known of each choice. For one thread. */
final class ReplyWriter {
    private final Job job;
    private final ReplyFormat format;
    private final List<Choice> choices;
    private final UsageTotal usage;
    private int open;

    ReplyWriter(Job job, ReplyFormat format) {
        this.job = job;
        this.format = format;
        this.usage = new UsageTotal(job.choicesPerPrompt());
        this.choices = new ArrayList<>();
        for (int i = 0; i < job.sequences().size(); i++) {
            choices.add(new Choice(i, new LogprobAligner(job.model().tokenizer())));
        }
        this.open = choices.size();
    }

    /** Whether every choice has ended. */
    boolean complete() {
        return open == 0;
    }

    /** The tokens of the choices that have ended. */
    Usage usage() {
        return usage.sum();
    }

    /** Keeps a piece for the whole reply. */
    void collect(Choices.Piece piece, @Nullable Finished end) {
        Choice choice = choices.get(piece.index());
        choice.text.append(piece.text());
        if (job.logprobs()) {
            choice.logprobs.addAll(choice.aligner.push(piece.text(), piece.logprobs()));
        }
        if (end != null) {
            choice.logprobs.addAll(finish(choice, end));
        }
    }

    /** Writes the whole reply once it is complete. */
    void whole(JsonGenerator json) throws IOException {
        head(json, format.replyObject());
        json.writeArrayFieldStart("choices");
        for (Choice choice : choices) {
            json.writeStartObject();
            json.writeNumberField("index", choice.index);
            format.whole(json, choice.text.toString());
            logprobs(json, choice, choice.logprobs);
            json.writeStringField("finish_reason", choice.finishReason);
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeFieldName("usage");
        usage.write(json);
        json.writeEndObject();
    }

    /** Writes the events of a piece: none, or up to three. */
    void chunks(EventStream out, Choices.Piece piece, @Nullable Finished end) throws IOException {
        Choice choice = choices.get(piece.index());
        if (!choice.begun) {
            choice.begun = true;
            if (format.hasOpening()) {
                out.event(json -> chunk(json, choice, format::opening, List.of()));
            }
        }
        List<TokenLogprob> covered = job.logprobs() ? choice.aligner.push(piece.text(), piece.logprobs()) : List.of();
        if (!piece.text().isEmpty() || !covered.isEmpty()) {
            out.event(json -> chunk(json, choice, j -> format.text(j, piece.text()), covered));
        }
        if (end != null) {
            List<TokenLogprob> rest = finish(choice, end);
            out.event(json -> chunk(json, choice, format::closing, rest));
        }
    }

    /** Writes what follows the last chunk of the last choice. */
    void end(EventStream out) throws IOException {
        if (job.streaming().includeUsage()) {
            out.event(json -> {
                head(json, format.chunkObject());
                json.writeArrayFieldStart("choices");
                json.writeEndArray();
                json.writeFieldName("usage");
                usage.write(json);
                json.writeEndObject();
            });
        }
        out.done();
    }

    private List<TokenLogprob> finish(Choice choice, Finished end) {
        choice.finishReason = end.reason() == FinishReason.LENGTH ? "length" : "stop";
        usage.add(choice.index, end.usage());
        open--;
        return job.logprobs() ? choice.aligner.finish(end.stopSequence() != null) : List.of();
    }

    private void chunk(JsonGenerator json, Choice choice, WireJson.Part part, List<TokenLogprob> logprobs)
            throws IOException {
        head(json, format.chunkObject());
        json.writeArrayFieldStart("choices");
        json.writeStartObject();
        json.writeNumberField("index", choice.index);
        part.write(json);
        logprobs(json, choice, logprobs);
        json.writeStringField("finish_reason", choice.finishReason);
        json.writeEndObject();
        json.writeEndArray();
        if (job.streaming().includeUsage()) {
            json.writeNullField("usage");
        }
        json.writeEndObject();
    }

    private void logprobs(JsonGenerator json, Choice choice, List<TokenLogprob> logprobs) throws IOException {
        if (!job.logprobs() || (job.streaming().stream() && logprobs.isEmpty())) {
            json.writeNullField("logprobs");
            return;
        }
        json.writeFieldName("logprobs");
        format.logprobs(json, logprobs, choice.textOffset);
        for (TokenLogprob logprob : logprobs) {
            choice.textOffset += logprob.text().length();
        }
    }

    private void head(JsonGenerator json, String object) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", job.id());
        json.writeStringField("object", object);
        json.writeNumberField("created", job.createdS());
        json.writeStringField("model", job.modelName());
        json.writeStringField("system_fingerprint", job.model().fingerprint());
    }

    /** What is known of one choice so far. */
    private static final class Choice {
        private final int index;
        private final LogprobAligner aligner;
        private final StringBuilder text = new StringBuilder();
        private final List<TokenLogprob> logprobs = new ArrayList<>();
        private boolean begun;
        private int textOffset;
        private @Nullable String finishReason;

        Choice(int index, LogprobAligner aligner) {
            this.index = index;
            this.aligner = aligner;
        }
    }
}
