package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent.Finished;
import dev.penstock.model.TokenLogprob;
import dev.penstock.model.Usage;
import dev.penstock.prompt.dialogue.Piece;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Replies of chats and completions: {@code choices}, with the id, the model and the usage around them. */
final class ChoicesWriter implements ReplyWriter {
    private final Job job;
    private final ReplyFormat format;
    private final List<Candidate> candidates = new ArrayList<>();
    private final UsageTotal usage;
    private int open;

    ChoicesWriter(Job job, ReplyFormat format) {
        this.job = job;
        this.format = format;
        this.usage = new UsageTotal(job.perPrompt());
        for (int i = 0; i < job.sequences().size(); i++) {
            candidates.add(new Candidate(job, i));
        }
        this.open = candidates.size();
    }

    /** Replies of chats. */
    static ChoicesWriter ofChat(Job job) {
        return new ChoicesWriter(job, new ChatFormat(job.shape().legacyCalls()));
    }

    @Override
    public boolean complete() {
        return open == 0;
    }

    @Override
    public Usage usage() {
        return usage.sum();
    }

    @Override
    public void collect(Choices.Piece piece, @Nullable Finished end) {
        Candidate candidate = candidates.get(piece.index());
        candidate.push(piece, more -> {});
        candidate.keepCovered();
        if (end != null) {
            finish(candidate, end);
            candidate.keepCovered();
        }
    }

    private void finish(Candidate candidate, Finished end) {
        candidate.finish(end, more -> {});
        ended(candidate, end);
    }

    private void ended(Candidate candidate, Finished end) {
        Usage all = end.usage();
        // The token that a silent one had to make is nobody's.
        Usage counted = job.shape().silent() ? new Usage(all.promptTokens(), all.cachedPromptTokens(), 0) : all;
        usage.add(candidate.index(), counted, candidate.reasoningTokens());
        open--;
    }

    @Override
    public void whole(JsonGenerator json) throws IOException {
        head(json, format.replyObject());
        json.writeArrayFieldStart("choices");
        int index = 0;
        for (Candidate chosen :
                BestCandidates.of(candidates, job.perPrompt(), job.shape().choices())) {
            json.writeStartObject();
            json.writeNumberField("index", index++);
            format.whole(json, chosen.echo(), chosen.message());
            wholeLogprobs(json, chosen);
            json.writeStringField("finish_reason", finishReason(chosen));
            if (job.shape().promptLogprobs() && format instanceof CompletionFormat) {
                PromptLogprobs.write(json, chosen.prompt());
            }
            json.writeEndObject();
        }
        json.writeEndArray();
        if (job.shape().promptLogprobs() && format instanceof ChatFormat) {
            PromptLogprobs.write(json, candidates.getFirst().prompt());
        }
        json.writeFieldName("usage");
        usage.write(json);
        json.writeEndObject();
    }

    private void wholeLogprobs(JsonGenerator json, Candidate candidate) throws IOException {
        if (!job.shape().logprobs()) {
            json.writeNullField("logprobs");
            return;
        }
        List<TokenLogprob> all = new ArrayList<>(candidate.echoed());
        all.addAll(candidate.logprobs());
        json.writeFieldName("logprobs");
        format.logprobs(json, all, 0);
    }

    @Override
    public void events(EventStream out, Choices.Piece piece, @Nullable Finished end) throws IOException {
        Candidate candidate = candidates.get(piece.index());
        if (candidate.begin()) {
            if (format.hasOpening()) {
                out.event(json -> chunk(json, candidate, format::opening, List.of()));
            }
            if (!candidate.echo().isEmpty()) {
                echo(out, piece, candidate);
            }
        }
        List<Piece> pieces = new ArrayList<>();
        candidate.push(piece, pieces::add);
        if (end != null) {
            candidate.finish(end, pieces::add);
        }
        boolean shown = false;
        for (Piece more : pieces) {
            if (format.shows(more)) {
                List<TokenLogprob> covered = candidate.takeCovered();
                out.event(json -> chunk(json, candidate, j -> format.piece(j, more, candidate.message()), covered));
                shown = true;
            }
        }
        if (!shown && end == null && candidate.hasCovered() && job.shape().parser() == null) {
            List<TokenLogprob> covered = candidate.takeCovered();
            var nothing = new Piece.Text("");
            out.event(json -> chunk(json, candidate, j -> format.piece(j, nothing, candidate.message()), covered));
        }
        if (end != null) {
            ended(candidate, end);
            candidate.close(finishReason(candidate));
            List<TokenLogprob> rest = candidate.takeCovered();
            out.event(json -> chunk(json, candidate, format::closing, rest));
        }
    }

    private void echo(EventStream out, Choices.Piece piece, Candidate candidate) throws IOException {
        candidate.scored(piece);
        var echo = new Piece.Text(candidate.echo());
        out.event(json -> chunk(json, candidate, j -> format.piece(j, echo, candidate.message()), candidate.echoed()));
    }

    @Override
    public void failure(EventStream out, ApiException error) throws IOException {
        Dialect.CHOICES.errorEvent(out, error);
    }

    @Override
    public void end(EventStream out) throws IOException {
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

    private String finishReason(Candidate candidate) {
        if (candidate.reason() == FinishReason.LENGTH) {
            return "length";
        }
        if (candidate.message().calls().isEmpty()) {
            return "stop";
        }
        return job.shape().legacyCalls() ? "function_call" : "tool_calls";
    }

    private void chunk(JsonGenerator json, Candidate candidate, WireJson.Part part, List<TokenLogprob> logprobs)
            throws IOException {
        head(json, format.chunkObject());
        json.writeArrayFieldStart("choices");
        json.writeStartObject();
        json.writeNumberField("index", candidate.index());
        part.write(json);
        if (logprobs.isEmpty()) {
            json.writeNullField("logprobs");
        } else {
            json.writeFieldName("logprobs");
            format.logprobs(json, logprobs, candidate.advanceOffset(logprobs));
        }
        json.writeStringField("finish_reason", candidate.closedWith());
        json.writeEndObject();
        json.writeEndArray();
        if (job.streaming().includeUsage()) {
            json.writeNullField("usage");
        }
        json.writeEndObject();
    }

    private void head(JsonGenerator json, String object) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", job.id());
        json.writeStringField("object", object);
        json.writeNumberField("created", job.createdS());
        json.writeStringField("model", job.modelName());
        json.writeStringField("system_fingerprint", job.model().fingerprint());
        if (job.shape().serviceTier() != null) {
            json.writeStringField("service_tier", job.shape().serviceTier());
        }
    }
}
