package dev.penstock.api;

import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent;
import dev.penstock.model.GenerationEvent.Cause;
import dev.penstock.model.GenerationEvent.Delta;
import dev.penstock.model.TokenLogprob;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** What a scripted model does with one request. */
public final class Script {
    /** One thing after the other. */
    sealed interface Step {
        /** Tells the listener. */
        record Say(Delta delta) implements Step {}

        /** Tells what it thinks of the prompt. */
        record Score(GenerationEvent.PromptScored scored) implements Step {}

        /** Goes on when the test says so. */
        record Await(CountDownLatch latch) implements Step {}

        /** The end. */
        record Finish(FinishReason reason, @Nullable String stopSequence) implements Step {}

        /** The end, too early. */
        record Fail(GenerationEvent.Failed failed) implements Step {}
    }

    private final List<Step> steps = new ArrayList<>();
    private int cachedTokens;

    private Script() {}

    /** Scores the prompt's tokens but the first; more must follow. */
    public static Script scores(TokenLogprob... logprobs) {
        Script script = new Script();
        script.steps.add(new Step.Score(new GenerationEvent.PromptScored(List.of(logprobs))));
        return script;
    }

    /** Says these pieces, a token each; more may follow. */
    public static Script says(String... pieces) {
        return new Script().then(pieces);
    }

    /** Says more. */
    public Script then(String... pieces) {
        Arrays.stream(pieces).forEach(p -> steps.add(new Step.Say(new Delta(p, 1, List.of()))));
        return this;
    }

    /** Says a piece with log probabilities. */
    public Script thenTokens(String piece, TokenLogprob... logprobs) {
        steps.add(new Step.Say(new Delta(piece, logprobs.length, List.of(logprobs))));
        return this;
    }

    /** Waits for the test, or for being cancelled. */
    public Script awaits(CountDownLatch latch) {
        steps.add(new Step.Await(latch));
        return this;
    }

    /** Ends. */
    public Script ends(FinishReason reason) {
        steps.add(new Step.Finish(reason, null));
        return this;
    }

    /** Ends at a stop string. */
    public Script stopsAt(String stopSequence) {
        steps.add(new Step.Finish(FinishReason.STOP, stopSequence));
        return this;
    }

    /** Fails. */
    public Script fails(Cause cause, String message) {
        steps.add(new Step.Fail(new GenerationEvent.Failed(cause, message)));
        return this;
    }

    /** With this many tokens from the prefix cache. */
    public Script cached(int tokens) {
        cachedTokens = tokens;
        return this;
    }

    /** A token with its log probability. */
    public static TokenLogprob token(String text, float logprob, TokenLogprob... top) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return new TokenLogprob(bytes.length == 1 ? bytes[0] & 0xFF : 'x', text, bytes, logprob, List.of(top));
    }

    List<Step> steps() {
        return List.copyOf(steps);
    }

    int cachedTokens() {
        return cachedTokens;
    }
}
