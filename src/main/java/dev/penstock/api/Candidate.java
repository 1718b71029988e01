package dev.penstock.api;

import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent.Finished;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.TokenLogprob;
import dev.penstock.prompt.Tokenizer;
import dev.penstock.prompt.dialogue.CompletionParser;
import dev.penstock.prompt.dialogue.Piece;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What is known so far of one candidate for a choice: its message, and the log probabilities that belong to it. For one thread. */
final class Candidate {
    private final int index;
    private final GenerationRequest request;
    private final Tokenizer tokenizer;
    private final String echo;
    private final boolean silent;
    private final AssistantMessage message;
    private final @Nullable CompletionParser parser;
    private final LogprobAligner aligner;
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private List<TokenLogprob> covered = new ArrayList<>();
    private List<TokenLogprob> prompt = List.of();
    private double sumOfLogprobs;
    private int tokens;
    private int reasoningTokens;
    private boolean thinks;
    private boolean begun;
    private int textOffset;
    private @Nullable FinishReason reason;
    private @Nullable String closedWith;

    Candidate(Job job, int index) {
        this.index = index;
        request = job.sequences().get(index);
        tokenizer = job.model().tokenizer();
        List<String> echoes = job.shape().echoes();
        echo = echoes.isEmpty() ? "" : echoes.get(index / job.perPrompt());
        silent = job.shape().silent();
        message = new AssistantMessage(job.model().dialogue()::newCallId);
        Supplier<CompletionParser> parsers = job.shape().parser();
        parser = parsers == null ? null : parsers.get();
        thinks = parser != null && job.model().dialogue().reasoning() != null;
        aligner = new LogprobAligner(tokenizer);
    }

    /** Takes a piece, and gives out what it says. */
    void push(Choices.Piece piece, Consumer<Piece> out) {
        scored(piece);
        for (TokenLogprob logprob : piece.logprobs()) {
            sumOfLogprobs += logprob.logprob();
        }
        tokens += piece.logprobs().size();
        if (silent) {
            return;
        }
        if (!piece.logprobs().isEmpty() || aligner.holds()) {
            covered.addAll(aligner.push(piece.text(), piece.logprobs()));
        }
        int from = 0;
        for (int i = 0; thinks && i < piece.tokenEnds().length; i++) {
            int to = piece.tokenEnds()[i];
            read(piece.text().substring(from, to), out);
            from = to;
            if (thinks) {
                reasoningTokens++;
            }
        }
        read(piece.text().substring(from), out);
    }

    private void read(String text, Consumer<Piece> out) {
        if (text.isEmpty()) {
            return;
        }
        if (parser == null) {
            say(new Piece.Text(text), out);
        } else {
            parser.push(text, piece -> say(piece, out));
        }
    }

    private void say(Piece piece, Consumer<Piece> out) {
        if (thinks && !(piece instanceof Piece.Reasoning)) {
            thinks = false;
        }
        message.add(piece);
        out.accept(piece);
    }

    /** The end: gives out what was held back. */
    void finish(Finished end, Consumer<Piece> out) {
        reason = silent ? FinishReason.LENGTH : end.reason();
        if (parser != null && !silent) {
            parser.finish(piece -> say(piece, out));
        }
        if (request.sampling().topLogprobs().isPresent() && !silent) {
            covered.addAll(aligner.finish(end.stopSequence() != null));
        }
    }

    /** Keeps the prompt's log probabilities, if they have come with this piece. */
    void scored(Choices.Piece piece) {
        if (piece.prompt() != null) {
            int first = request.promptTokens()[0];
            byte[] bytes = tokenizer.bytes(first);
            prompt = new ArrayList<>();
            // Nothing comes before it, so nothing is known of it.
            prompt.add(new TokenLogprob(first, new String(bytes, StandardCharsets.UTF_8), bytes, Float.NaN, List.of()));
            prompt.addAll(piece.prompt());
        }
    }

    int index() {
        return index;
    }

    AssistantMessage message() {
        return message;
    }

    /** What goes before the completion. */
    String echo() {
        return echo;
    }

    /** The log probabilities of what goes before the completion: NaN for the first. */
    List<TokenLogprob> echoed() {
        return echo.isEmpty() ? List.of() : prompt;
    }

    /** The log probabilities of the prompt's tokens: NaN for the first. */
    List<TokenLogprob> prompt() {
        return prompt;
    }

    /** Mean log probability of a token; that of an empty completion is as good as can be. */
    double meanLogprob() {
        return tokens == 0 ? 0 : sumOfLogprobs / tokens;
    }

    /** Tokens up to the end of the reasoning; 0 without any. */
    int reasoningTokens() {
        return message.reasoning().isEmpty() ? 0 : reasoningTokens;
    }

    FinishReason reason() {
        return Objects.requireNonNull(reason);
    }

    /** Adds what is covered by the text to {@link #logprobs()}. */
    void keepCovered() {
        logprobs.addAll(takeCovered());
    }

    /** Those of the whole completion, as far as they were kept. */
    List<TokenLogprob> logprobs() {
        return logprobs;
    }

    boolean hasCovered() {
        return !covered.isEmpty();
    }

    /** Log probabilities of tokens whose text has come since the last call. */
    List<TokenLogprob> takeCovered() {
        List<TokenLogprob> taken = covered;
        covered = new ArrayList<>();
        return taken;
    }

    /** Whether this is the first thing that is sent of it. */
    boolean begin() {
        boolean first = !begun;
        begun = true;
        return first;
    }

    /** Characters before these tokens; the next ones come after them. */
    int advanceOffset(List<TokenLogprob> next) {
        int offset = textOffset;
        for (TokenLogprob logprob : next) {
            textOffset += logprob.text().length();
        }
        return offset;
    }

    /** What its last chunk says of its end. */
    void close(String finishReason) {
        closedWith = finishReason;
    }

    /** {@code finish_reason}: null before the last chunk. */
    @Nullable
    String closedWith() {
        return closedWith;
    }
}
