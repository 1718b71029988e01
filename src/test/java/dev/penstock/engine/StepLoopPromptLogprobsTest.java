package dev.penstock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.penstock.model.GenerationEvent.Cause;
import dev.penstock.model.GenerationEvent.PromptScored;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.SamplingParams;
import dev.penstock.model.TokenLogprob;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the model thinks of prompts. */
class StepLoopPromptLogprobsTest {
    private static final int VOCAB = 97;
    private static final LetterTokenizer TOKENIZER = new LetterTokenizer(VOCAB);

    @ParameterizedTest
    @CsvSource({
        // blocks, step tokens, running, rows, prefix cache
        "1000, 64, 8, 64, true",
        "1000, 64, 8, 8, true",
        "1000, 64, 8, 11, false",
        "60, 64, 8, 9, true",
        "60, 16, 1, 1, true",
        "60, 16, 4, 4, false",
    })
    void everyTokenOfAPromptButTheFirstIsScored(
            int blocks, int stepTokens, int running, int rows, boolean prefixCache) {
        Random random = new Random(blocks + rows);
        int[] common = random.ints(20, 0, VOCAB - 1).toArray();
        HashModel model = new HashModel(VOCAB, 200, 4, blocks, 64, rows);
        BlockAudit audit = new BlockAudit();
        EngineOptions options = new EngineOptions(stepTokens, stepTokens, running, 100, prefixCache, true);
        try (StepLoop loop = audit.start(model, TOKENIZER, options)) {
            List<int[]> prompts = new ArrayList<>();
            List<SamplingParams> samplings = new ArrayList<>();
            List<Recorder> recorders = new ArrayList<>();
            for (int i = 0; i < 24; i++) {
                int[] own = random.ints(1 + random.nextInt(60), 0, VOCAB - 1).toArray();
                int[] prompt = i % 3 == 0
                        ? own
                        : IntStream.concat(IntStream.of(common), IntStream.of(own))
                                .toArray();
                SamplingParams.Builder sampling = SamplingParams.builder(1 + random.nextInt(60))
                        .temperature(0)
                        .eosTokens(Set.of(TOKENIZER.eos()));
                if (i % 2 == 0) {
                    sampling.promptLogprobs(i % 5);
                }
                prompts.add(i == 0 ? new int[] {3} : prompt);
                samplings.add(sampling.build());
                recorders.add(new Recorder());
                loop.submit(
                        new GenerationRequest("r" + i, prompts.getLast(), samplings.getLast()), recorders.getLast());
            }
            for (int i = 0; i < recorders.size(); i++) {
                List<Integer> alone = HashModel.greedy(VOCAB, prompts.get(i), samplings.get(i));
                assertThat(recorders.get(i).finished().usage().completionTokens())
                        .isEqualTo(alone.size());
                assertThat(recorders.get(i).text())
                        .isEqualTo(
                                TOKENIZER.decode(alone.stream().mapToInt(t -> t).toArray(), true));
                if (i % 2 == 0) {
                    assertScored(
                            prompts.get(i),
                            i % 5,
                            recorders.get(i).promptScored().orElseThrow());
                } else {
                    assertThat(recorders.get(i).promptScored()).isEmpty();
                }
            }
            if (blocks < 100 && running > 1) {
                assertThat(loop.stats().preemptions()).isPositive();
            }
        }
        audit.assertClean();
    }

    private static void assertScored(int[] prompt, int top, PromptScored scored) {
        assertThat(scored.logprobs()).hasSize(prompt.length - 1);
        for (int place = 1; place < prompt.length; place++) {
            double[] expected = NaiveSampler.logprobs(HashModel.logits(VOCAB, Arrays.copyOf(prompt, place)));
            TokenLogprob entry = scored.logprobs().get(place - 1);
            assertThat(entry.token()).isEqualTo(prompt[place]);
            assertThat((double) entry.logprob()).isCloseTo(expected[prompt[place]], within(1e-5));
            assertThat(entry.top()).hasSize(top);
            for (TokenLogprob other : entry.top()) {
                assertThat((double) other.logprob()).isCloseTo(expected[other.token()], within(1e-5));
            }
        }
    }

    @Test
    void aCachedPromptIsScoredAllTheSame() {
        int[] prompt = new Random(2).ints(50, 0, VOCAB - 1).toArray();
        HashModel model = new HashModel(VOCAB, 200, 4, 100, 64, 8);
        try (StepLoop loop = StepLoop.start(
                "test", model, TOKENIZER, new EngineOptions(64, 32, 8, 100, true, true), EngineObserver.NONE)) {
            SamplingParams.Builder sampling = SamplingParams.builder(3).temperature(0);
            run(loop, prompt, sampling.build());
            Recorder scored = run(loop, prompt, sampling.promptLogprobs(2).build());
            assertThat(scored.finished().usage().cachedPromptTokens()).isZero();
            assertScored(prompt, 2, scored.promptScored().orElseThrow());
        }
    }

    @Test
    void moreThanCanBeHeldIsRefused() {
        HashModel model = new HashModel(VOCAB, 20_000, 4, 5_000, 64, 8);
        try (StepLoop loop = StepLoop.start(
                "test", model, TOKENIZER, new EngineOptions(64, 32, 8, 100, true, true), EngineObserver.NONE)) {
            Recorder many = run(
                    loop,
                    new int[3],
                    SamplingParams.builder(1).promptLogprobs(21).build());
            assertThat(many.failed().cause()).isEqualTo(Cause.INVALID);
            assertThat(many.failed().message()).contains("prompt_logprobs", "0 to 20");
            Recorder tooLong = run(
                    loop,
                    new int[15_000],
                    SamplingParams.builder(1).promptLogprobs(20).build());
            assertThat(tooLong.failed().message()).contains("prompt_logprobs of 20 for 15000 prompt tokens");
        }
    }

    private static Recorder run(StepLoop loop, int[] prompt, SamplingParams sampling) {
        Recorder recorder = new Recorder();
        loop.submit(new GenerationRequest("r", prompt, sampling), recorder);
        recorder.end();
        return recorder;
    }
}
