package dev.penstock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent.Delta;
import dev.penstock.model.GenerationEvent.Finished;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.SamplingParams;
import dev.penstock.model.TokenLogprob;
import dev.penstock.model.Usage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What ends a completion, what is said about it, and what its draws depend on. */
class StepLoopStopTest {
    private static final int VOCAB = 97;
    private static final LetterTokenizer TOKENIZER = new LetterTokenizer(VOCAB);
    private static final int[] PROMPT = new Random(5).ints(37, 0, VOCAB - 1).toArray();

    /** What the model says to the prompt if nothing ends it; its tokens are used to build stops. */
    private static final List<Integer> ENDLESS = HashModel.greedy(VOCAB, PROMPT, SamplingParams.greedy(60, Set.of()));

    private final StepLoop loop = start(new EngineOptions(64, 32, 8, 100, true, true), 200);

    @AfterEach
    void close() {
        loop.close();
    }

    @Test
    void anEndTokenStopsAndIsCountedButNotSaid() {
        Recorder recorder = run(builder(50).eosTokens(Set.of(ENDLESS.get(5))));
        assertThat(recorder.finished()).isEqualTo(new Finished(FinishReason.STOP, null, new Usage(37, 0, 6)));
        assertThat(recorder.text()).isEqualTo(text(ENDLESS.subList(0, 5)));
        assertThat(recorder.deltas()).hasSize(5).allMatch(d -> d.tokens() == 1);
    }

    @Test
    void anIgnoredEndTokenIsSaidAndStopTokensStopAllTheSame() {
        int eos = ENDLESS.get(5);
        Recorder recorder = run(builder(50).eosTokens(Set.of(eos)).ignoreEos(true));
        assertThat(recorder.finished().reason()).isEqualTo(FinishReason.LENGTH);
        assertThat(recorder.text()).isEqualTo(text(ENDLESS.subList(0, 50)));
        Recorder stopped = run(builder(50).stopTokens(Set.of(eos)).ignoreEos(true));
        assertThat(stopped.finished().reason()).isEqualTo(FinishReason.STOP);
        assertThat(stopped.text()).isEqualTo(text(ENDLESS.subList(0, 5)));
    }

    @Test
    void anEndTokenIsNotSampledBeforeMinTokens() {
        int eos = ENDLESS.getFirst();
        Recorder recorder = run(builder(50).eosTokens(Set.of(eos)).minTokens(4));
        assertThat(recorder.finished().usage().completionTokens()).isGreaterThan(4);
        Recorder other = run(builder(50).stopTokens(Set.of(eos)).minTokens(4));
        assertThat(other.finished().usage().completionTokens()).isGreaterThan(4);
    }

    @Test
    void aStopStringEndsNothingWithinMinTokens() {
        String all = text(ENDLESS.subList(0, 20));
        String within = all.substring(4, 8);
        assertThat(all.lastIndexOf(within)).isEqualTo(4);
        assertThat(run(builder(20).stop(List.of(within)).minTokens(3)).text()).isEqualTo(all.substring(0, 4));
        Recorder whole = run(builder(20).stop(List.of(within)).minTokens(4));
        assertThat(whole.finished().reason()).isEqualTo(FinishReason.LENGTH);
        assertThat(whole.text()).isEqualTo(all);
    }

    @Test
    void aStopStringEndsTheTextBeforeIt() {
        // Begins in the middle of one token and ends in the middle of another.
        String all = text(ENDLESS);
        String stop = all.substring(11, 17);
        int at = all.indexOf(stop);
        Recorder recorder = run(builder(50).stop(List.of("never", stop)));
        assertThat(recorder.finished().reason()).isEqualTo(FinishReason.STOP);
        assertThat(recorder.finished().stopSequence()).isEqualTo(stop);
        assertThat(recorder.text()).isEqualTo(all.substring(0, at));
        assertThat(recorder.finished().usage().completionTokens()).isEqualTo((at + stop.length() + 1) / 2);
    }

    @Test
    void textHeldBackForAStopStringThatNeverComesIsSaidAtTheEnd() {
        String all = text(ENDLESS.subList(0, 9));
        Recorder recorder = run(builder(9).stop(List.of(all.substring(14) + "no such text")));
        assertThat(recorder.finished().reason()).isEqualTo(FinishReason.LENGTH);
        assertThat(recorder.finished().stopSequence()).isNull();
        assertThat(recorder.text()).isEqualTo(all);
        Delta rest = recorder.deltas().getLast();
        assertThat(rest.tokens()).isZero();
        assertThat(rest.text()).isEqualTo(all.substring(14));
    }

    @Test
    void theLimitsAreTheRequestsAndTheContexts() {
        assertThat(run(builder(1)).finished().usage().completionTokens()).isEqualTo(1);
        Recorder recorder = run(builder(Integer.MAX_VALUE));
        assertThat(recorder.finished().reason()).isEqualTo(FinishReason.LENGTH);
        assertThat(recorder.finished().usage().completionTokens()).isEqualTo(200 - 37);
    }

    @Test
    void logprobsComeWithEachToken() {
        Recorder recorder = run(builder(20).topLogprobs(3));
        List<TokenLogprob> logprobs = recorder.logprobs();
        assertThat(logprobs.stream().map(TokenLogprob::token)).isEqualTo(ENDLESS.subList(0, 20));
        assertThat(logprobs.stream().map(TokenLogprob::text).collect(Collectors.joining()))
                .isEqualTo(recorder.text());
        assertThat(logprobs).allSatisfy(entry -> {
            assertThat(entry.top()).hasSize(3);
            assertThat(entry.top().getFirst().token()).isEqualTo(entry.token());
            assertThat(entry.top().getFirst().logprob()).isEqualTo(entry.logprob());
            assertThat(entry.top().getLast().logprob()).isLessThanOrEqualTo(entry.logprob());
        });
        assertThat(run(builder(20)).logprobs()).isEmpty();
    }

    @Test
    void cachedPromptTokensAreThoseOfFullBlocksBeforeTheLastToken() {
        assertThat(run(builder(3)).finished().usage()).isEqualTo(new Usage(37, 0, 3));
        assertThat(run(builder(3)).finished().usage()).isEqualTo(new Usage(37, 32, 3));
        assertThat(run(builder(3), Arrays.copyOf(PROMPT, 32)).finished().usage())
                .isEqualTo(new Usage(32, 16, 3));
        assertThat(run(builder(3), Arrays.copyOf(PROMPT, 33)).finished().usage())
                .isEqualTo(new Usage(33, 32, 3));
        assertThat(loop.stats().cachedPromptTokens()).isEqualTo(32 + 16 + 32);
        assertThat(loop.stats().promptTokens()).isEqualTo(37 + 37 + 32 + 33);
    }

    @Test
    void aConversationsNextTurnFindsPromptAndReplyInTheCache() {
        run(builder(30));
        int[] next = new int[37 + 30 + 5];
        System.arraycopy(PROMPT, 0, next, 0, 37);
        for (int i = 0; i < 30; i++) {
            next[37 + i] = ENDLESS.get(i);
        }
        assertThat(run(builder(3), next).finished().usage().cachedPromptTokens())
                .isEqualTo(64);
    }

    @ParameterizedTest
    @CsvSource({"100, true", "100, false", "14, true"})
    void aSeedGivesTheSameTextWhateverElseIsInTheBatch(int blocks, boolean prefixCache) {
        SamplingParams.Builder sampling = builder(40)
                .temperature(1.1f)
                .topP(0.95f)
                .repetitionPenalty(1.1f)
                .presencePenalty(0.2f)
                .logitBias(Map.of(3, 1f));
        List<String> alone = new ArrayList<>();
        for (int seed = 0; seed < 12; seed++) {
            alone.add(run(sampling.seed(seed)).text());
        }
        assertThat(Set.copyOf(alone)).hasSize(12);
        try (StepLoop crowded = start(new EngineOptions(64, 32, 8, 100, prefixCache, true), blocks)) {
            List<Recorder> recorders = new ArrayList<>();
            for (int seed = 0; seed < 12; seed++) {
                Recorder recorder = new Recorder();
                recorders.add(recorder);
                crowded.submit(
                        new GenerationRequest("r", PROMPT, sampling.seed(seed).build()), recorder);
                crowded.submit(
                        new GenerationRequest(
                                "noise",
                                Arrays.copyOf(PROMPT, 1 + seed),
                                builder(20).temperature(1).build()),
                        new Recorder());
            }
            assertThat(recorders.stream().peek(Recorder::end).map(Recorder::text))
                    .isEqualTo(alone);
            if (blocks < 100) {
                assertThat(crowded.stats().preemptions()).isPositive();
            }
        }
    }

    @Test
    void withoutASeedTextsDiffer() {
        assertThat(run(builder(40).temperature(1)).text())
                .isNotEqualTo(run(builder(40).temperature(1)).text());
    }

    private static StepLoop start(EngineOptions options, int blocks) {
        return StepLoop.start(
                "test", new HashModel(VOCAB, 200, 16, blocks, 64, 8), TOKENIZER, options, EngineObserver.NONE);
    }

    private Recorder run(SamplingParams.Builder sampling) {
        return run(sampling, PROMPT);
    }

    private Recorder run(SamplingParams.Builder sampling, int[] prompt) {
        Recorder recorder = new Recorder();
        loop.submit(new GenerationRequest("r", prompt, sampling.build()), recorder);
        recorder.end();
        return recorder;
    }

    private static SamplingParams.Builder builder(int maxTokens) {
        return SamplingParams.builder(maxTokens).temperature(0);
    }

    private static String text(List<Integer> tokens) {
        return TOKENIZER.decode(tokens.stream().mapToInt(t -> t).toArray(), false);
    }
}
