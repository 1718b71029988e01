package dev.penstock.engine;

import dev.penstock.engine.EngineObserver.Outcome;
import dev.penstock.engine.EngineObserver.SequenceSummary;
import dev.penstock.engine.Sampler.Logprobs;
import dev.penstock.engine.Sampler.Sampled;
import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent;
import dev.penstock.model.GenerationEvent.Cause;
import dev.penstock.model.GenerationEvent.Delta;
import dev.penstock.model.GenerationEvent.Failed;
import dev.penstock.model.GenerationEvent.Finished;
import dev.penstock.model.GenerationEvent.PromptScored;
import dev.penstock.model.GenerationListener;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.SamplingParams;
import dev.penstock.model.TokenLogprob;
import dev.penstock.model.Usage;
import dev.penstock.prompt.Tokenizer;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Turns rows of logits into tokens, tokens into text, and tells listeners and the observer. For one thread. */
final class Publisher {
    private static final Logger LOG = System.getLogger(Publisher.class.getName());

    private final Tokenizer tokenizer;
    private final EngineObserver observer;
    private final Sampler sampler;
    private final Consumer<Sequence> release;
    private long completionTokens;

    /**
     * Samples with this sampler, and tells this observer.
     *
     * @param release frees what a sequence holds; called at its end, before anybody hears of that
     */
    Publisher(Tokenizer tokenizer, EngineObserver observer, Sampler sampler, Consumer<Sequence> release) {
        this.release = release;
        this.tokenizer = tokenizer;
        this.observer = observer;
        this.sampler = sampler;
    }

    /** Tokens sampled so far. */
    long completionTokens() {
        return completionTokens;
    }

    /**
     * Takes a sequence's next row: scores the prompt's next token, or samples the completion's and publishes it, and ends the
     * sequence if that was the last.
     *
     * @param logits holds its row from {@code offset} bytes on
     */
    void next(Sequence sequence, MemorySegment logits, long offset) {
        try {
            if (sequence.scoresPrompt()) {
                score(sequence, logits, offset);
            } else if (tellPromptScores(sequence)) {
                sample(sequence, logits, offset);
            }
        } catch (Throwable e) {
            // An Error too: what goes wrong with one sequence must not touch the others.
            LOG.log(
                    Level.WARNING,
                    () -> "Sampling failed for " + sequence.request().id(),
                    e);
            fail(sequence, Cause.INTERNAL, "The next token could not be chosen: " + e.getMessage());
        }
    }

    private void score(Sequence sequence, MemorySegment logits, long offset) {
        int token = sequence.unscoredToken();
        int top = sequence.sampling().promptLogprobs().orElse(0);
        sequence.scored(describe(token, sampler.score(logits, offset, token, top)));
    }

    /** Tells the log probabilities of the prompt if they were asked for and are not told yet; false if nobody listens. */
    private boolean tellPromptScores(Sequence sequence) {
        List<TokenLogprob> scores = sequence.takePromptScores();
        if (scores == null || tell(sequence, new PromptScored(List.copyOf(scores)))) {
            return true;
        }
        finish(sequence, FinishReason.CANCELLED);
        return false;
    }

    private void sample(Sequence sequence, MemorySegment logits, long offset) {
        OutputGuard guard = sequence.guard();
        if (guard != null && guard.mustEnd()) {
            // Only before the first token: the constraint allows the empty text alone.
            finishWithRest(sequence, FinishReason.STOP);
            return;
        }
        @Nullable
        Sampled sampled = sampler.sample(
                logits,
                offset,
                sequence.sampling(),
                sequence.counts(),
                guard,
                sequence.completionLength(),
                sequence.draws());
        if (sampled == null) {
            finishWithRest(sequence, FinishReason.STOP);
            return;
        }
        sequence.append(sampled.token(), System.nanoTime());
        completionTokens++;
        if (sequence.completionLength() == 1) {
            observer.firstToken(
                    // It may have come in the middle of the turn that admits it.
                    Math.max(0, sequence.admittedNs() - sequence.submittedNs()),
                    sequence.firstTokenNs() - sequence.submittedNs());
        }
        publish(sequence, sampled, guard);
    }

    /** Ends a sequence: its last event. */
    void finish(Sequence sequence, FinishReason reason) {
        Outcome outcome = switch (reason) {
            case STOP -> Outcome.STOP;
            case LENGTH -> Outcome.LENGTH;
            case CANCELLED -> Outcome.CANCELLED;
        };
        end(sequence, outcome, new Finished(reason, sequence.text().stopSequence(), sequence.usage()));
    }

    /** Tells the listener of a request that it never becomes a sequence; for any thread. */
    void refuse(GenerationRequest request, GenerationListener listener, Cause cause, String message) {
        Usage usage = new Usage(request.promptTokens().length, 0, 0);
        observer.sequenceEnded(new SequenceSummary(outcome(cause), usage, 0, OptionalLong.empty()));
        tell(request, listener, new Failed(cause, message));
    }

    /** Ends a sequence that can't go on: its last event. */
    void fail(Sequence sequence, Cause cause, String message) {
        end(sequence, outcome(cause), new Failed(cause, message));
    }

    private void publish(Sequence sequence, Sampled sampled, @Nullable OutputGuard guard) {
        int token = sampled.token();
        SamplingParams sampling = sequence.sampling();
        if (sampling.stopTokens().contains(token)
                || (!sampling.ignoreEos() && sampling.eosTokens().contains(token))) {
            finishWithRest(sequence, FinishReason.STOP);
            return;
        }
        if (guard != null) {
            guard.accept(token);
        }
        String text = sequence.text().push(token);
        Logprobs logprobs = sampled.logprobs();
        List<TokenLogprob> entries = logprobs == null ? List.of() : List.of(describe(token, logprobs));
        if (!tell(sequence, new Delta(text, 1, entries))) {
            finish(sequence, FinishReason.CANCELLED);
        } else if (sequence.text().stopSequence() != null) {
            finish(sequence, FinishReason.STOP);
        } else if (guard != null && guard.mustEnd()) {
            finishWithRest(sequence, FinishReason.STOP);
        } else if (sequence.full()) {
            finishWithRest(sequence, FinishReason.LENGTH);
        }
    }

    /** Sends the text that was held back, if there is any, and ends the sequence. */
    private void finishWithRest(Sequence sequence, FinishReason reason) {
        String rest = sequence.text().finish();
        boolean heard = rest.isEmpty() || tell(sequence, new Delta(rest, 0, List.of()));
        finish(sequence, heard ? reason : FinishReason.CANCELLED);
    }

    private void end(Sequence sequence, Outcome outcome, GenerationEvent event) {
        if (!sequence.end()) {
            return;
        }
        try {
            release.accept(sequence);
            OptionalLong ttft = sequence.completionLength() == 0
                    ? OptionalLong.empty()
                    : OptionalLong.of(sequence.firstTokenNs() - sequence.submittedNs());
            long totalNs = System.nanoTime() - sequence.submittedNs();
            observer.sequenceEnded(new SequenceSummary(outcome, sequence.usage(), totalNs, ttft));
        } finally {
            // Whatever is broken here, the caller must not wait for ever.
            tell(sequence, event);
        }
    }

    private static Outcome outcome(Cause cause) {
        return switch (cause) {
            case INVALID -> Outcome.INVALID;
            case OVERLOADED -> Outcome.OVERLOADED;
            case SHUTTING_DOWN -> Outcome.SHUTTING_DOWN;
            case INTERNAL -> Outcome.FAILED;
        };
    }

    /** Whether the listener took the event; one that throws has given its sequence up. */
    private static boolean tell(Sequence sequence, GenerationEvent event) {
        return tell(sequence.request(), sequence.listener(), event);
    }

    private static boolean tell(GenerationRequest request, GenerationListener listener, GenerationEvent event) {
        try {
            listener.onEvent(event);
            return true;
        } catch (Throwable e) {
            LOG.log(Level.WARNING, () -> "The listener of " + request.id() + " failed", e);
            return false;
        }
    }

    private TokenLogprob describe(int token, Logprobs logprobs) {
        List<TokenLogprob> top = new ArrayList<>(logprobs.topTokens().length);
        for (int i = 0; i < logprobs.topTokens().length; i++) {
            top.add(entry(logprobs.topTokens()[i], logprobs.top()[i], List.of()));
        }
        return entry(token, logprobs.chosen(), List.copyOf(top));
    }

    private TokenLogprob entry(int token, float logprob, List<TokenLogprob> top) {
        byte[] bytes = tokenizer.bytes(token);
        return new TokenLogprob(token, new String(bytes, StandardCharsets.UTF_8), bytes, logprob, top);
    }
}
