package dev.penstock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.model.FinishReason;
import dev.penstock.model.Generation;
import dev.penstock.model.GenerationEvent.Cause;
import dev.penstock.model.GenerationEvent.Delta;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.SamplingParams;
import dev.penstock.prompt.Tokenizer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cancelling, refusing, failing, draining and closing. */
class StepLoopLifeTest {
    private static final int VOCAB = 97;
    private static final Tokenizer TOKENIZER = new LetterTokenizer(VOCAB);
    private static final EngineOptions SMALL = new EngineOptions(16, 8, 2, 2, true, false);

    private final BlockAudit audit = new BlockAudit();
    private final SteppedModel model = new SteppedModel(new HashModel(VOCAB, 200, 4, 60, 64, 8));
    private final List<StepLoop> started = new ArrayList<>();

    @AfterEach
    void closesCleanly() {
        model.letAllGo();
        started.forEach(StepLoop::close);
        audit.assertNothingWrong();
    }

    @Test
    void aCancelledDecodeIsFreeWithinTheStep() throws Exception {
        StepLoop loop = start(SMALL);
        Recorder recorder = new Recorder();
        Generation generation = loop.submit(request(prompt(5), 100), recorder);
        stepThrough(3);
        model.awaitStep();
        generation.cancel();
        generation.cancel();
        model.letGo();
        assertThat(recorder.finished().reason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(recorder.finished().usage().completionTokens()).isEqualTo(3);
        assertThat(loop.stats().usedBlocks()).isZero();
        assertThat(model.steps()).isEqualTo(4);
        generation.cancel();
    }

    @Test
    void aPromptCancelledInItsMiddleIsFreeWithinTheStep() throws Exception {
        StepLoop loop = start(SMALL);
        Recorder recorder = new Recorder();
        Generation generation = loop.submit(request(prompt(100), 100), recorder);
        stepThrough(2);
        model.awaitStep();
        assertThat(loop.stats().usedBlocks()).isEqualTo(25);
        generation.cancel();
        model.letGo();
        assertThat(recorder.finished().reason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(recorder.deltas()).isEmpty();
        assertThat(loop.stats().usedBlocks()).isZero();
        assertThat(model.steps()).isEqualTo(3);
    }

    @Test
    void oneThatWaitsIsCancelledWithinTheStepAndNeverRuns() throws Exception {
        StepLoop loop = start(SMALL);
        loop.submit(request(prompt(5), 100), new Recorder());
        loop.submit(request(prompt(6), 100), new Recorder());
        Recorder waiting = new Recorder();
        Generation generation = loop.submit(request(prompt(7), 100), waiting);
        stepThrough(3);
        model.awaitStep();
        generation.cancel();
        model.letGo();
        assertThat(waiting.finished().reason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(waiting.deltas()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void randomCancelsInEveryPhaseFreeAllBlocks(long seed) {
        Random random = new Random(seed);
        model.letAllGo();
        StepLoop loop = start(new EngineOptions(16, 8, 6, 1000, true, false));
        List<Recorder> recorders = new ArrayList<>();
        List<Generation> generations = new ArrayList<>();
        List<int[]> prompts = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            int[] prompt = prompt(1 + random.nextInt(120));
            Recorder recorder = new Recorder();
            prompts.add(prompt);
            recorders.add(recorder);
            generations.add(loop.submit(request(prompt, 1 + random.nextInt(60)), recorder));
            if (random.nextInt(3) > 0) {
                generations.get(random.nextInt(generations.size())).cancel();
            }
        }
        for (int i = 0; i < 200; i++) {
            Recorder recorder = recorders.get(i);
            List<Integer> alone = HashModel.greedy(VOCAB, prompts.get(i), SamplingParams.greedy(60, Set.of()));
            assertThat(recorder.finished().reason()).isIn(FinishReason.CANCELLED, FinishReason.LENGTH);
            assertThat(TOKENIZER.decode(alone.stream().mapToInt(t -> t).toArray(), false))
                    .startsWith(recorder.text());
        }
        assertThat(loop.stats().usedBlocks()).isZero();
        assertThat(loop.stats().running() + loop.stats().waiting()).isZero();
    }

    @Test
    void moreThanMayWaitIsRefusedAtOnceAndTakenAgainLater() throws Exception {
        StepLoop loop = start(SMALL);
        List<Recorder> taken = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            taken.add(new Recorder());
            loop.submit(request(prompt(3 + i), 2), taken.getLast());
        }
        Recorder refused = new Recorder();
        loop.submit(request(prompt(3), 2), refused);
        assertThat(refused.hasEnded()).isTrue();
        assertThat(refused.failed().cause()).isEqualTo(Cause.OVERLOADED);
        assertThat(refused.failed().message()).contains("2 requests wait");
        model.letAllGo();
        taken.forEach(t -> assertThat(t.finished().reason()).isEqualTo(FinishReason.LENGTH));
        Recorder later = new Recorder();
        loop.submit(request(prompt(3), 2), later);
        assertThat(later.finished().reason()).isEqualTo(FinishReason.LENGTH);
    }

    @Test
    void whatCanNeverBeServedIsRefusedWithItsReason() {
        StepLoop loop = start(SMALL);
        assertThat(loop.contextLength()).isEqualTo(200);
        assertInvalid(loop, new int[0], builder(), "no tokens");
        assertInvalid(loop, prompt(200), builder(), "at most 199 fit");
        assertInvalid(loop, new int[] {1, VOCAB}, builder(), "token 97 at place 1");
        assertInvalid(loop, new int[] {-1}, builder(), "token -1");
        assertInvalid(loop, prompt(3), builder().temperature(-1), "temperature must be from 0");
        assertInvalid(loop, prompt(3), builder().temperature(Float.NaN), "temperature");
        assertInvalid(loop, prompt(3), builder().topP(0), "top_p");
        assertInvalid(loop, prompt(3), builder().topP(1.1f), "top_p");
        assertInvalid(loop, prompt(3), builder().topK(-1), "top_k");
        assertInvalid(loop, prompt(3), builder().minP(2), "min_p");
        assertInvalid(loop, prompt(3), builder().repetitionPenalty(0), "repetition_penalty");
        assertInvalid(loop, prompt(3), builder().frequencyPenalty(Float.POSITIVE_INFINITY), "frequency_penalty");
        assertInvalid(loop, prompt(3), builder().presencePenalty(Float.NaN), "presence_penalty");
        assertInvalid(loop, prompt(3), builder().minTokens(6), "min_tokens must be from 0 to 5, not 6");
        assertInvalid(loop, prompt(3), builder().topLogprobs(21), "top_logprobs");
        assertInvalid(loop, prompt(3), builder().stop(List.of("")), "stop");
        assertInvalid(loop, prompt(3), builder().logitBias(Map.of(VOCAB, 1f)), "logit_bias");
        assertInvalid(loop, prompt(3), builder().logitBias(Map.of(1, Float.NaN)), "logit_bias of token 1");
        assertInvalid(loop, prompt(3), SamplingParams.builder(0), "max_tokens");
        assertThat(loop.stats().waiting()).isZero();
    }

    @Test
    void aCacheSmallerThanTheContextBoundsIt() {
        model.letAllGo();
        SteppedModel tiny = new SteppedModel(new HashModel(VOCAB, 500, 4, 10, 64, 8));
        tiny.letAllGo();
        StepLoop loop = start(tiny, SMALL);
        assertThat(loop.contextLength()).isEqualTo(40);
        Recorder recorder = new Recorder();
        loop.submit(request(prompt(30), 400), recorder);
        assertThat(recorder.finished().reason()).isEqualTo(FinishReason.LENGTH);
        assertThat(recorder.finished().usage().completionTokens()).isEqualTo(10);
        assertInvalid(loop, prompt(40), builder(), "the context is 40 tokens");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aFailedStepFailsItsSequencesAndTheLoopGoesOn(boolean error) throws Exception {
        StepLoop loop = start(SMALL);
        Recorder first = new Recorder();
        Recorder second = new Recorder();
        loop.submit(request(prompt(5), 20), first);
        loop.submit(request(prompt(6), 20), second);
        stepThrough(3);
        Recorder waits = new Recorder();
        loop.submit(request(prompt(7), 5), waits);
        model.awaitStep();
        model.failStep(error ? new OutOfMemoryError("no room") : new StepException("no room in layer 3"));
        assertThat(first.failed().cause()).isEqualTo(Cause.INTERNAL);
        assertThat(first.failed().message()).contains("no room");
        assertThat(second.failed().cause()).isEqualTo(Cause.INTERNAL);
        model.letAllGo();
        assertText(waits, prompt(7), 5);
        assertThat(loop.stats().failedSteps()).isEqualTo(1);
        Recorder again = new Recorder();
        loop.submit(request(prompt(5), 20), again);
        assertText(again, prompt(5), 20);
        assertThat(loop.stats().usedBlocks()).isZero();
    }

    @Test
    void aLoopWhoseStateIsBrokenFailsAllThatItHasAndStartsFromNothing() throws Exception {
        StepLoop loop = StepLoop.start("test", model, TOKENIZER, SMALL, EngineObserver.NONE);
        started.add(loop);
        List<Recorder> lost = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            lost.add(new Recorder());
            loop.submit(request(prompt(3 + i), 50), lost.getLast());
        }
        stepThrough(2);
        model.awaitStep();
        // The loop's thread is inside of the runner, which does not look at this.
        loop.scheduler().running().getFirst().blocks().add(-1);
        model.failStep(new StepException("on purpose"));
        lost.forEach(recorder -> assertThat(recorder.failed().cause()).isEqualTo(Cause.INTERNAL));
        model.letAllGo();
        Recorder next = new Recorder();
        loop.submit(request(prompt(9), 20), next);
        assertText(next, prompt(9), 20);
        assertThat(loop.stats().usedBlocks()).isZero();
    }

    @Test
    void aRowWithoutNumbersFailsItsSequenceAlone() throws Exception {
        StepLoop loop = start(SMALL);
        Recorder first = new Recorder();
        Recorder second = new Recorder();
        loop.submit(request(prompt(5), 20), first);
        loop.submit(request(prompt(6), 20), second);
        stepThrough(4);
        model.awaitStep();
        model.poisonRow(0);
        assertThat(first.failed().cause()).isEqualTo(Cause.INTERNAL);
        assertThat(first.failed().message()).contains("not finite");
        model.letAllGo();
        assertText(second, prompt(6), 20);
    }

    @Test
    void aListenerThatThrowsLosesItsSequenceAndNobodyElse() {
        model.letAllGo();
        StepLoop loop = start(SMALL);
        Recorder end = new Recorder();
        Recorder other = new Recorder();
        loop.submit(request(prompt(5), 50), event -> {
            if (event instanceof Delta) {
                throw new IllegalStateException("thrown by a listener on purpose");
            }
            end.onEvent(event);
        });
        loop.submit(request(prompt(6), 20), other);
        assertThat(end.finished().reason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(end.finished().usage().completionTokens()).isEqualTo(1);
        assertText(other, prompt(6), 20);
        assertThat(loop.stats().usedBlocks()).isZero();
    }

    @Test
    void anObserverThatThrowsChangesNothing() {
        SteppedModel own = new SteppedModel(new HashModel(VOCAB, 200, 4, 60, 64, 8));
        own.letAllGo();
        EngineObserver angry = new EngineObserver() {
            @Override
            public void stepEnded(StepSummary step) {
                throw new IllegalStateException("thrown by an observer on purpose");
            }

            @Override
            public void firstToken(long queueNs, long ttftNs) {
                throw new IllegalStateException("thrown by an observer on purpose");
            }
        };
        try (StepLoop loop = StepLoop.start("angry", own, TOKENIZER, SMALL, angry)) {
            Recorder recorder = new Recorder();
            loop.submit(request(prompt(6), 20), recorder);
            assertText(recorder, prompt(6), 20);
        }
    }

    @Test
    void drainingFinishesWhatRunsAndWaitsAndRefusesTheRest() throws Exception {
        StepLoop loop = start(SMALL);
        List<Recorder> taken = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            taken.add(new Recorder());
            loop.submit(request(prompt(3 + i), 10), taken.getLast());
        }
        model.awaitStep();
        CompletableFuture<Void> drained = drain(loop, Duration.ofDays(1));
        awaitRefusal(loop);
        assertThat(drained).isNotDone();
        model.letAllGo();
        drained.get(60, TimeUnit.SECONDS);
        for (int i = 0; i < 4; i++) {
            assertText(taken.get(i), prompt(3 + i), 10);
        }
    }

    @Test
    void aDrainWhoseTimeIsOverCutsAtTheEndOfTheStep() throws Exception {
        StepLoop loop = start(SMALL);
        List<Recorder> taken = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            taken.add(new Recorder());
            loop.submit(request(prompt(3 + i), 100), taken.getLast());
        }
        model.awaitStep();
        CompletableFuture<Void> drained = drain(loop, Duration.ZERO);
        awaitRefusal(loop);
        model.letAllGo();
        drained.get(60, TimeUnit.SECONDS);
        taken.forEach(t -> assertThat(t.failed().cause()).isEqualTo(Cause.SHUTTING_DOWN));
        assertThat(model.steps()).isLessThan(50);
        assertThat(loop.stats().usedBlocks()).isZero();
    }

    @Test
    void closingCutsWhatIsLeftAndClosesTheRunnerOnTheLoopsThread() throws Exception {
        StepLoop loop = start(SMALL);
        Recorder running = new Recorder();
        loop.submit(request(prompt(5), 100), running);
        model.awaitStep();
        CompletableFuture<Void> closed = CompletableFuture.runAsync(loop::close);
        awaitRefusal(loop);
        model.letAllGo();
        closed.get(60, TimeUnit.SECONDS);
        loop.close();
        assertThat(running.failed().cause()).isEqualTo(Cause.SHUTTING_DOWN);
        assertThat(Objects.requireNonNull(model.closedBy()).getName()).isEqualTo("step-loop-test");
        Recorder late = new Recorder();
        loop.submit(request(prompt(3), 2), late);
        assertThat(late.failed().cause()).isEqualTo(Cause.SHUTTING_DOWN);
        loop.drain(Duration.ofDays(1));
    }

    @Test
    void requestsThatRaceWithClosingAllEnd() throws Exception {
        model.letAllGo();
        StepLoop loop = start(new EngineOptions(16, 8, 6, 100_000, true, false));
        List<Recorder> recorders = new ArrayList<>();
        CompletableFuture<Void> submitting = CompletableFuture.runAsync(() -> {
            for (int i = 0; i < 5000; i++) {
                Recorder recorder = new Recorder();
                recorders.add(recorder);
                loop.submit(request(prompt(3), 5), recorder);
            }
        });
        loop.submit(request(prompt(3), 1), event -> loop.close());
        submitting.get(60, TimeUnit.SECONDS);
        loop.close();
        recorders.forEach(Recorder::end);
    }

    @Test
    void anIdleLoopParks() {
        model.letAllGo();
        StepLoop loop = start(SMALL);
        Recorder recorder = new Recorder();
        loop.submit(request(prompt(5), 3), recorder);
        recorder.end();
        int steps = model.steps();
        Awaitility.await().until(() -> loop.thread().getState() == Thread.State.WAITING);
        assertThat(model.steps()).isEqualTo(steps);
        Recorder next = new Recorder();
        loop.submit(request(prompt(5), 3), next);
        assertThat(next.finished().reason()).isEqualTo(FinishReason.LENGTH);
    }

    private StepLoop start(EngineOptions options) {
        return start(model, options);
    }

    private StepLoop start(ModelRunner runner, EngineOptions options) {
        StepLoop loop = audit.start(runner, TOKENIZER, options);
        started.add(loop);
        return loop;
    }

    private void stepThrough(int steps) throws InterruptedException {
        for (int i = 0; i < steps; i++) {
            model.awaitStep();
            model.letGo();
        }
    }

    private static CompletableFuture<Void> drain(StepLoop loop, Duration limit) {
        return CompletableFuture.runAsync(() -> {
            try {
                loop.drain(limit);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
    }

    /** Waits until new requests are refused because the loop goes down; those that it takes until then are cut with the rest. */
    private static void awaitRefusal(StepLoop loop) {
        Awaitility.await().until(() -> {
            Recorder late = new Recorder();
            loop.submit(request(prompt(3), 2), late);
            return late.hasEnded() && late.failed().cause() == Cause.SHUTTING_DOWN;
        });
    }

    private static void assertInvalid(
            StepLoop loop, int[] prompt, SamplingParams.Builder sampling, String messagePart) {
        Recorder recorder = new Recorder();
        loop.submit(new GenerationRequest("r", prompt, sampling.build()), recorder);
        assertThat(recorder.hasEnded()).isTrue();
        assertThat(recorder.failed().cause()).isEqualTo(Cause.INVALID);
        assertThat(recorder.failed().message()).contains(messagePart);
    }

    private static void assertText(Recorder recorder, int[] prompt, int maxTokens) {
        List<Integer> alone = HashModel.greedy(VOCAB, prompt, SamplingParams.greedy(maxTokens, Set.of()));
        assertThat(recorder.finished().reason()).isEqualTo(FinishReason.LENGTH);
        assertThat(recorder.text())
                .isEqualTo(TOKENIZER.decode(alone.stream().mapToInt(t -> t).toArray(), false));
    }

    private static SamplingParams.Builder builder() {
        return SamplingParams.builder(5);
    }

    private static GenerationRequest request(int[] prompt, int maxTokens) {
        return new GenerationRequest("r", prompt, SamplingParams.greedy(maxTokens, Set.of()));
    }

    private static int[] prompt(int length) {
        return new Random(length).ints(length, 0, VOCAB - 1).toArray();
    }
}
