package dev.penstock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.model.GenerationRequest;
import dev.penstock.model.SamplingParams;
import dev.penstock.model.TokenLogprob;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Drafts change nothing but how many steps a text takes. */
class StepLoopSpeculationTest {
    private static final int VOCAB = 97;
    private static final LetterTokenizer TOKENIZER = new LetterTokenizer(VOCAB);

    @ParameterizedTest
    @CsvSource({
        // blocks, block size, step tokens, prompt tokens beside decodes, running, rows, prefix cache
        "1000, 16, 256, 64, 4, 64, true",
        "1000, 4, 64, 16, 2, 10, true",
        "1000, 1, 40, 8, 3, 40, false",
        "40, 8, 64, 16, 4, 30, true",
        "70, 4, 64, 64, 4, 64, false",
        "1000, 16, 256, 64, 1, 2, true",
    })
    void allTextsAreThoseThatComeWithout(
            int blocks, int blockSize, int stepTokens, int beside, int running, int rows, boolean prefixCache) {
        List<GenerationRequest> requests = requests();
        Result without = run(
                new HashModel(VOCAB, 400, blockSize, 1000, 256, rows).repeating(9),
                new EngineOptions(stepTokens, beside, running, 100, prefixCache, false),
                requests);
        Result with = run(
                new HashModel(VOCAB, 400, blockSize, blocks, 256, rows).repeating(9),
                new EngineOptions(stepTokens, beside, running, 100, prefixCache, true),
                requests);
        for (int i = 0; i < requests.size(); i++) {
            Recorder expected = without.recorders().get(i);
            Recorder actual = with.recorders().get(i);
            assertThat(actual.text()).as("request %d", i).isEqualTo(expected.text());
            assertThat(actual.finished().reason()).isEqualTo(expected.finished().reason());
            assertThat(actual.finished().stopSequence())
                    .isEqualTo(expected.finished().stopSequence());
            assertThat(actual.finished().usage().completionTokens())
                    .isEqualTo(expected.finished().usage().completionTokens());
            assertThat(logprobs(actual)).isEqualTo(logprobs(expected));
        }
        assertThat(without.stats().draftedTokens()).isZero();
        assertThat(with.stats().acceptedTokens())
                .isPositive()
                .isLessThanOrEqualTo(with.stats().draftedTokens());
        if (blocks < 100) {
            assertThat(with.stats().preemptions()).isPositive();
        }
    }

    @Test
    void repeatedTextTakesFewerSteps() {
        List<GenerationRequest> one = List.of(new GenerationRequest(
                "r", new Random(4).ints(40, 0, VOCAB - 1).toArray(), SamplingParams.greedy(300, Set.of())));
        Result with = run(
                new HashModel(VOCAB, 400, 16, 100, 64, 16).repeating(9),
                new EngineOptions(64, 32, 4, 10, true, true),
                one);
        assertThat(with.stats().completionTokens()).isEqualTo(300);
        assertThat(with.stats().steps()).isEqualTo(1 + 299 - with.stats().acceptedTokens());
    }

    @Test
    void aConstraintThatLeavesNoChoiceIsItsOwnDraft() {
        int[] script = new Random(5).ints(60, 0, VOCAB - 1).toArray();
        SamplingParams sampling = SamplingParams.builder(100)
                .constraint(new Script(script))
                .topLogprobs(1)
                .build();
        Result with = run(
                new HashModel(VOCAB, 400, 16, 100, 64, 16),
                new EngineOptions(64, 32, 4, 10, true, true),
                List.of(new GenerationRequest("r", new int[] {1, 2}, sampling)));
        assertThat(with.recorders().getFirst().text()).isEqualTo(TOKENIZER.decode(script, false));
        // The last one ends the text, so it saves no step.
        assertThat(with.stats().acceptedTokens())
                .isEqualTo(with.stats().draftedTokens() - 1)
                .isGreaterThan(30);
    }

    private static Result run(HashModel model, EngineOptions options, List<GenerationRequest> requests) {
        BlockAudit audit = new BlockAudit();
        List<Recorder> recorders = new ArrayList<>();
        EngineStats stats;
        try (StepLoop loop = audit.start(model, TOKENIZER, options)) {
            for (GenerationRequest request : requests) {
                recorders.add(new Recorder());
                loop.submit(request, recorders.getLast());
            }
            recorders.forEach(Recorder::finished);
            stats = loop.stats();
            assertThat(stats.usedBlocks()).isZero();
        }
        audit.assertClean();
        return new Result(recorders, stats);
    }

    private record Result(List<Recorder> recorders, EngineStats stats) {}

    private static List<GenerationRequest> requests() {
        Random random = new Random(11);
        int[] common = random.ints(30, 0, VOCAB - 1).toArray();
        List<GenerationRequest> requests = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            SamplingParams.Builder sampling = SamplingParams.builder(20 + random.nextInt(150))
                    .temperature(i % 3 == 0 ? 0 : 0.5f + i % 3)
                    .seed(i);
            switch (i % 8) {
                case 0 -> sampling.topK(3).topP(0.8f);
                case 1 ->
                    sampling.repetitionPenalty(1.2f).frequencyPenalty(0.5f).presencePenalty(1);
                case 2 -> sampling.topLogprobs(2).minP(0.01f);
                case 3 -> sampling.stop(List.of("ba", "xyz")).minTokens(10);
                case 4 -> sampling.constraint(new Brackets(i % 16 == 4)).eosTokens(Set.of(TOKENIZER.eos()));
                case 5 -> sampling.eosTokens(Set.of(TOKENIZER.eos(), 3)).stopTokens(Set.of(7));
                case 6 -> sampling.promptLogprobs(0).logitBias(Map.of(4, 3f));
                default -> sampling.topP(0.95f);
            }
            int[] prompt = i % 2 == 0
                    ? common
                    : random.ints(1 + random.nextInt(60), 0, VOCAB - 1).toArray();
            requests.add(new GenerationRequest("r" + i, prompt, sampling.build()));
        }
        return requests;
    }

    private static List<List<Object>> logprobs(Recorder recorder) {
        return recorder.logprobs().stream().map(StepLoopSpeculationTest::values).toList();
    }

    private static List<Object> values(TokenLogprob entry) {
        return List.of(
                entry.token(),
                entry.logprob(),
                entry.top().stream().map(TokenLogprob::token).toList());
    }
}
