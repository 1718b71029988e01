package dev.penstock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent.Cause;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.OutputConstraint;
import dev.penstock.model.OutputFollower;
import dev.penstock.model.SamplingParams;
import dev.penstock.model.TokenLogprob;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Completions that are held to a constraint. */
class StepLoopConstraintTest {
    private static final int VOCAB = 97;
    private static final LetterTokenizer TOKENIZER = new LetterTokenizer(VOCAB);
    private static final int[] PROMPT = {5, 6, 7};

    private final BlockAudit audit = new BlockAudit();
    private final StepLoop loop = start(100);

    @AfterEach
    void stop() {
        loop.close();
        audit.assertClean();
    }

    @ParameterizedTest
    @CsvSource({"true, 1, 100", "false, 1, 100", "true, 0, 100", "true, 1, 12", "false, 1, 12"})
    void everyTextIsWholeHoweverFewTokensItMayHave(boolean many, float temperature, int blocks) {
        Brackets brackets = new Brackets(many);
        Random random = new Random(3);
        int prompt = 20;
        try (StepLoop crowded = start(blocks)) {
            List<Recorder> recorders = new ArrayList<>();
            List<Integer> limits = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                int maxTokens = 2 + random.nextInt(i % 2 == 0 ? 8 : 60);
                limits.add(maxTokens);
                SamplingParams sampling = SamplingParams.builder(maxTokens)
                        .temperature(temperature)
                        .seed(i)
                        .eosTokens(Set.of(TOKENIZER.eos()))
                        .ignoreEos(i % 3 == 0)
                        .minTokens(i % 4)
                        .topK(i % 5 == 0 ? 20 : 0)
                        .topP(i % 5 == 1 ? 0.9f : 1)
                        .topLogprobs(1)
                        .constraint(brackets)
                        .build();
                recorders.add(new Recorder());
                int[] tokens = random.ints(prompt, 0, VOCAB).toArray();
                crowded.submit(new GenerationRequest("r" + i, tokens, sampling), recorders.getLast());
            }
            for (int i = 0; i < recorders.size(); i++) {
                recorders.get(i).finished();
                int[] tokens = tokens(recorders.get(i));
                assertThat(tokens.length).isLessThanOrEqualTo(limits.get(i));
                assertThat(brackets.matches(tokens))
                        .as("%s of request %d", recorders.get(i).text(), i)
                        .isTrue();
                if (many && i % 3 == 0) {
                    // Without end tokens it goes on for as long as more can follow.
                    assertThat(tokens.length).isGreaterThanOrEqualTo(Math.min(limits.get(i), 4 * blocks - prompt) - 1);
                }
            }
            if (blocks < 100) {
                assertThat(crowded.stats().preemptions()).isPositive();
            }
        }
    }

    @Test
    void whereNothingMayFollowTheTextEndsWithoutAnEndToken() {
        Recorder recorder = run(builder(50).ignoreEos(true).constraint(new Brackets(false)));
        assertThat(recorder.finished().reason()).isEqualTo(FinishReason.STOP);
        assertThat(tokens(recorder)).endsWith(Brackets.CLOSE);
        assertThat(recorder.finished().usage().completionTokens()).isEqualTo(tokens(recorder).length);
    }

    @Test
    void endTokensAreSampledOnlyWhereTheTextMayEnd() {
        // Only the end token is wanted, so that each text is as short as it can be.
        SamplingParams.Builder eager = builder(50)
                .logitBias(Map.of(TOKENIZER.eos(), 1000f, Brackets.CLOSE, 100f))
                .constraint(new Brackets(true));
        Recorder recorder = run(eager);
        assertThat(recorder.finished().reason()).isEqualTo(FinishReason.STOP);
        assertThat(tokens(recorder)).containsExactly(Brackets.OPEN, Brackets.CLOSE);
        assertThat(tokens(run(eager.minTokens(3)))).containsExactly(0, 1, 0, 1);
    }

    @Test
    void aWholeTextThatNoEndTokenCanCloseEndsWithoutOne() {
        // The model knows fewer tokens than the tokenizer: the end token is not among them.
        try (StepLoop narrow = audit.start(
                new HashModel(TOKENIZER.eos(), 200, 4, 100, 64, 8),
                TOKENIZER,
                new EngineOptions(64, 32, 8, 100, true, true))) {
            Recorder recorder = run(narrow, eager().constraint(new Brackets(true)));
            assertThat(recorder.finished().reason()).isEqualTo(FinishReason.STOP);
            assertThat(tokens(recorder)).containsExactly(Brackets.OPEN, Brackets.CLOSE);
        }
    }

    @Test
    void fewestTokensDoNotBreakATextThatIsWhole() {
        Recorder recorder = run(eager().minTokens(3).constraint(new Brackets(true)));
        assertThat(recorder.finished().reason()).isEqualTo(FinishReason.STOP);
        assertThat(tokens(recorder)).containsExactly(Brackets.OPEN, Brackets.CLOSE);
    }

    @Test
    void aTextThatMustBeEmptyHasNoTokens() {
        OutputConstraint empty = () -> new Fixed(new long[0], true);
        Recorder recorder = run(builder(5).constraint(empty));
        assertThat(recorder.finished().reason()).isEqualTo(FinishReason.STOP);
        assertThat(recorder.finished().usage().completionTokens()).isZero();
    }

    @Test
    void logprobsStayThoseOfTheModel() {
        Recorder free = run(builder(1).topLogprobs(3));
        TokenLogprob held = run(builder(1).topLogprobs(3).constraint(new Brackets(true)))
                .logprobs()
                .getFirst();
        TokenLogprob wanted = free.logprobs().getFirst();
        assertThat(held.token()).isEqualTo(Brackets.OPEN).isNotEqualTo(wanted.token());
        assertThat(held.top().stream().map(TokenLogprob::logprob))
                .isEqualTo(wanted.top().stream().map(TokenLogprob::logprob).toList());
        assertThat(held.logprob()).isLessThan(wanted.logprob());
    }

    @Test
    void whatFailsInAConstraintFailsItsSequenceAlone() {
        Recorder beside = new Recorder();
        loop.submit(
                new GenerationRequest(
                        "beside", PROMPT, builder(60).ignoreEos(true).build()),
                beside);
        Recorder throwing = run(builder(5).constraint(() -> {
            throw new IllegalStateException("the schema is gone");
        }));
        assertThat(throwing.failed().cause()).isEqualTo(Cause.INTERNAL);
        assertThat(throwing.failed().message()).contains("the schema is gone");
        Recorder nothing = run(builder(5).constraint(() -> new Fixed(new long[0], false)));
        assertThat(nothing.failed().cause()).isEqualTo(Cause.INTERNAL);
        assertThat(nothing.failed().message()).contains("no token is left", "constraint");
        // Beyond the vocabulary.
        Recorder unknown = run(builder(5).constraint(() -> new Fixed(new long[] {0, 0, 1}, false)));
        assertThat(unknown.failed().message()).contains("no token is left");
        assertThat(beside.finished().reason()).isEqualTo(FinishReason.LENGTH);
        assertThat(loop.stats().usedBlocks()).isZero();
    }

    private StepLoop start(int blocks) {
        return audit.start(
                new HashModel(VOCAB, 200, 4, blocks, 64, 8), TOKENIZER, new EngineOptions(64, 32, 8, 100, true, true));
    }

    private Recorder run(SamplingParams.Builder sampling) {
        return run(loop, sampling);
    }

    private static Recorder run(StepLoop loop, SamplingParams.Builder sampling) {
        Recorder recorder = new Recorder();
        loop.submit(new GenerationRequest("r", PROMPT, sampling.build()), recorder);
        recorder.end();
        return recorder;
    }

    /** Closes each bracket at once, and has room for one token more. */
    private static SamplingParams.Builder eager() {
        return builder(3).logitBias(Map.of(Brackets.CLOSE, 1000f));
    }

    private static SamplingParams.Builder builder(int maxTokens) {
        return SamplingParams.builder(maxTokens).temperature(0).eosTokens(Set.of(TOKENIZER.eos()));
    }

    private static int[] tokens(Recorder recorder) {
        return TOKENIZER.encode(recorder.text(), false);
    }

    /** Allows the same at each place, and comes to no end but at once. */
    private record Fixed(long[] allowed, boolean mustEnd) implements OutputFollower {
        @Override
        public boolean mayEnd() {
            return mustEnd;
        }

        @Override
        public void accept(int token) {}

        @Override
        public boolean canEndWithin(int token, int tokensLeft) {
            return false;
        }

        @Override
        public long[] allowedWithin(int tokensLeft) {
            return allowed;
        }

        @Override
        public OutputFollower copy() {
            return this;
        }
    }
}
