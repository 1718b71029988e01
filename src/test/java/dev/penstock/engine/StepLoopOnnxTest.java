package dev.penstock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.penstock.model.FinishReason;
import dev.penstock.model.Generation;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.model.SamplingParams;
import dev.penstock.model.TokenLogprob;
import dev.penstock.weights.BuildOptions;
import dev.penstock.weights.BuildProgress;
import dev.penstock.weights.ModelFolder;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.TinyModels;
import dev.penstock.weights.Variant;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The step loop over ONNX Runtime and our kernels, with a KV cache that is too small for all that is asked at once. */
class StepLoopOnnxTest {
    private static final TinyModels.Tiny MODEL = TinyModels.gqa();
    private static final LetterTokenizer TOKENIZER = new LetterTokenizer(MODEL.vocab());
    private static final int REQUESTS = 32;
    private static final int BLOCK_SIZE = 16;

    /** Those of two sequences at full length. */
    private static final int BLOCKS = 16;

    /** Of a log probability: sums run in another order in a batch, and that was seen to change it by 1e-6. */
    private static final float TOLERANCE = 1e-4f;

    @TempDir
    Path folder;

    private final BlockAudit audit = new BlockAudit();
    private Variant variant;
    private SteppedModel model;
    private StepLoop loop;

    @BeforeEach
    void start() {
        variant = new ModelStore(folder.resolve("store"))
                .build(
                        ModelFolder.open(MODEL.write(folder.resolve("model"))),
                        Precision.FP32,
                        BuildOptions.defaults(),
                        BuildProgress.NONE);
        model = new SteppedModel(runner());
        loop = audit.start(model, TOKENIZER, new EngineOptions(48, 24, 12, 100, true, true));
    }

    @AfterEach
    void stop() {
        model.letAllGo();
        loop.close();
        audit.assertClean();
    }

    private OnnxModelRunner runner() {
        return OnnxModelRunner.open(
                variant.folder(), variant.shape(), new RunnerConfig(2, KvType.FP32, BLOCK_SIZE, BLOCKS, 48, 12));
    }

    @Test
    void sequencesThatJoinAndLeaveGetTheTokensThatEachGetsAlone() throws Exception {
        List<GenerationRequest> requests = requests();
        List<List<TokenLogprob>> alone = alone(requests);
        assertThat(alone.stream().map(StepLoopOnnxTest::tokens).distinct()).hasSize(REQUESTS);
        assertThat(alone.stream()
                        .flatMap(List::stream)
                        .mapToDouble(StepLoopOnnxTest::lead)
                        .min()
                        .orElseThrow())
                .as("the closest choice, so that tokens don't hang on the order of sums")
                .isGreaterThan(2 * TOLERANCE);

        List<Recorder> recorders = new ArrayList<>();
        List<Generation> generations = new ArrayList<>();
        for (int i = 0; i < REQUESTS; i++) {
            recorders.add(new Recorder());
            generations.add(loop.submit(requests.get(i), recorders.getLast()));
            // Steps between one arrival and the next; a sequence takes twenty and more.
            for (int step = 0; step < i % 4; step++) {
                model.awaitStep();
                model.letGo();
            }
            if (i % 8 == 7) {
                generations.get(i - 5).cancel();
            }
        }
        model.letAllGo();

        for (int i = 0; i < REQUESTS; i++) {
            boolean cancelled = recorders.get(i).finished().reason() == FinishReason.CANCELLED;
            List<TokenLogprob> crowded = recorders.get(i).logprobs();
            List<TokenLogprob> expected = alone.get(i)
                    .subList(0, cancelled ? crowded.size() : alone.get(i).size());
            assertThat(tokens(crowded)).as("request %d", i).isEqualTo(tokens(expected));
            for (int place = 0; place < expected.size(); place++) {
                assertThat(crowded.get(place).logprob())
                        .isCloseTo(expected.get(place).logprob(), within(TOLERANCE));
            }
        }
        assertThat(recorders.stream().filter(r -> r.finished().reason() == FinishReason.LENGTH))
                .hasSizeGreaterThanOrEqualTo(REQUESTS - 4);
        EngineStats stats = loop.stats();
        assertThat(stats.preemptions()).isPositive();
        assertThat(stats.cachedPromptTokens()).isPositive();
        assertThat(stats.running() + stats.waiting() + stats.usedBlocks()).isZero();
    }

    /** What each request gets from a loop that has nothing else to do, and keeps nothing of what it did before. */
    private List<List<TokenLogprob>> alone(List<GenerationRequest> requests) {
        List<List<TokenLogprob>> alone = new ArrayList<>();
        try (StepLoop quiet = StepLoop.start(
                "alone", runner(), TOKENIZER, new EngineOptions(48, 24, 12, 100, false, false), EngineObserver.NONE)) {
            for (GenerationRequest request : requests) {
                Recorder recorder = new Recorder();
                quiet.submit(request, recorder);
                assertThat(recorder.finished().reason()).isEqualTo(FinishReason.LENGTH);
                alone.add(recorder.logprobs());
            }
            assertThat(quiet.stats().preemptions() + quiet.stats().cachedPromptTokens())
                    .isZero();
        }
        return alone;
    }

    /** Prompts of up to 60 tokens, three of four with a beginning in common that fills a block. */
    private static List<GenerationRequest> requests() {
        Random random = new Random(13);
        int[] common = random.ints(BLOCK_SIZE + 3, 0, MODEL.vocab() - 1).toArray();
        List<GenerationRequest> requests = new ArrayList<>();
        for (int i = 0; i < REQUESTS; i++) {
            int[] own = random.ints(1 + random.nextInt(i % 4 == 0 ? 60 : 12), 0, MODEL.vocab() - 1)
                    .toArray();
            int[] prompt = i % 4 == 0
                    ? own
                    : IntStream.concat(IntStream.of(common), IntStream.of(own)).toArray();
            SamplingParams sampling = SamplingParams.builder(30 + random.nextInt(35))
                    .temperature(0)
                    .topLogprobs(2)
                    .build();
            requests.add(new GenerationRequest("r" + i, prompt, sampling));
        }
        return requests;
    }

    private static List<Integer> tokens(List<TokenLogprob> entries) {
        return entries.stream().map(TokenLogprob::token).toList();
    }

    /** By how much the most likely token, which is the chosen one, leads. */
    private static double lead(TokenLogprob entry) {
        return entry.top().getFirst().logprob() - entry.top().getLast().logprob();
    }
}
