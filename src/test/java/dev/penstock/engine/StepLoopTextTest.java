package dev.penstock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.SamplingParams;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a sequence says does not depend on what else there is. */
class StepLoopTextTest {
    private static final int VOCAB = 97;
    private static final LetterTokenizer TOKENIZER = new LetterTokenizer(VOCAB);

    @ParameterizedTest
    @CsvSource({
        // blocks, block size, step tokens, prompt tokens beside decodes, running, prefix cache, common beginning
        "1000, 16, 256, 64, 32, true, 0",
        "1000, 16, 256, 64, 32, true, 100",
        "1000, 16, 256, 64, 32, false, 100",
        "1000, 4, 33, 3, 32, true, 50",
        "40, 16, 64, 16, 32, true, 0",
        "40, 16, 64, 16, 32, true, 40",
        "160, 4, 40, 40, 32, true, 40",
        "38, 16, 256, 256, 32, false, 0",
        "1000, 1, 5, 1, 4, true, 10",
    })
    void manyPromptsAtOnceSayWhatTheySayAlone(
            int blocks, int blockSize, int stepTokens, int beside, int running, boolean prefixCache, int common) {
        Random random = new Random(7 + blocks);
        int[] beginning = random.ints(common, 0, VOCAB - 1).toArray();
        List<int[]> prompts = new ArrayList<>();
        for (int i = 0; i < 32; i++) {
            int[] own = random.ints(1 + random.nextInt(200), 0, VOCAB - 1).toArray();
            prompts.add(concat(i % 4 == 3 ? new int[0] : beginning, own));
        }
        EngineOptions options = new EngineOptions(stepTokens, beside, running, 64, prefixCache, true);
        HashModel model = new HashModel(VOCAB, 600, blockSize, blocks, 256, 32);
        BlockAudit audit = new BlockAudit();
        try (StepLoop loop = audit.start(model, TOKENIZER, options)) {
            List<Recorder> recorders = new ArrayList<>();
            List<SamplingParams> samplings = new ArrayList<>();
            for (int round = 0; round < 2; round++) {
                for (int[] prompt : prompts) {
                    SamplingParams sampling = SamplingParams.greedy(1 + random.nextInt(150), Set.of(TOKENIZER.eos()));
                    Recorder recorder = new Recorder();
                    samplings.add(sampling);
                    recorders.add(recorder);
                    loop.submit(new GenerationRequest("r" + recorders.size(), prompt, sampling), recorder);
                }
            }
            for (int i = 0; i < recorders.size(); i++) {
                int[] prompt = prompts.get(i % prompts.size());
                List<Integer> alone = HashModel.greedy(VOCAB, prompt, samplings.get(i));
                Recorder recorder = recorders.get(i);
                boolean stops = alone.getLast() == TOKENIZER.eos();
                assertThat(recorder.finished().reason()).isEqualTo(stops ? FinishReason.STOP : FinishReason.LENGTH);
                assertThat(recorder.text()).isEqualTo(TOKENIZER.decode(ints(alone), true));
                assertThat(recorder.finished().usage().completionTokens()).isEqualTo(alone.size());
                assertThat(recorder.finished().usage().promptTokens()).isEqualTo(prompt.length);
            }
            EngineStats stats = loop.stats();
            assertThat(stats.usedBlocks()).isZero();
            if (blocks * blockSize < 1000) {
                assertThat(stats.preemptions()).as("preemptions").isPositive();
            }
            if (prefixCache && common > 0) {
                assertThat(stats.cachedPromptTokens()).as("cached").isPositive();
            }
        }
        audit.assertClean();
        assertThat(model.isClosed()).isTrue();
    }

    private static int[] concat(int[] a, int[] b) {
        int[] both = new int[a.length + b.length];
        System.arraycopy(a, 0, both, 0, a.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    private static int[] ints(List<Integer> list) {
        return list.stream().mapToInt(Integer::intValue).toArray();
    }
}
