package dev.penstock.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent.Finished;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.KvType;
import dev.penstock.model.OutputConstraint;
import dev.penstock.model.OutputFollower;
import dev.penstock.model.Precision;
import dev.penstock.model.SamplingParams;
import dev.penstock.model.TokenLogprob;
import dev.penstock.prompt.constraint.ConstraintException;
import dev.penstock.prompt.constraint.Constraints;
import dev.penstock.prompt.constraint.OutputForm;
import dev.penstock.prompt.constraint.PiecesTokenizer;
import dev.penstock.prompt.constraint.RandomSchemas;
import dev.penstock.prompt.constraint.SchemaJudge;
import dev.penstock.weights.BuildOptions;
import dev.penstock.weights.BuildProgress;
import dev.penstock.weights.ModelFolder;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.TinyModels;
import dev.penstock.weights.Variant;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a model of random weights says under random schemas, through the step loop, ONNX Runtime and our kernels. */
class StepLoopSchemasTest {
    private static final int GENERATIONS = 2000;

    private static final PiecesTokenizer TOKENIZER = new PiecesTokenizer();

    /** More than the tokenizer has, as in many models. */
    private static final int VOCAB = 320;

    private static final int CONTEXT = 512;
    private static final TinyModels.Tiny MODEL =
            new TinyModels.Tiny("schemas", 2, 32, 4, 2, 0, 64, VOCAB, CONTEXT, false, 1e4, null, "F32", 1, 21);

    /** Generations that run one by one, where guesses pay; then come all the others at once. */
    private static final int ALONE = 100;

    private static final int RUNNING = 24;
    private static final int STEP_TOKENS = 128;
    private static final int BLOCK_SIZE = 16;

    /** Fewer than as many texts as may run take, so that some of them are preempted. */
    private static final int BLOCKS = 80;

    /** Several times what all generations take: a model that runs on means that one of them stalls. */
    private static final int MOST_STEPS = 20_000;

    @TempDir
    Path folder;

    private final BlockAudit audit = new BlockAudit();
    private StepLoop loop;

    @BeforeEach
    void start() {
        Variant variant = new ModelStore(folder.resolve("store"))
                .build(
                        ModelFolder.open(MODEL.write(folder.resolve("model"))),
                        Precision.FP32,
                        BuildOptions.defaults(),
                        BuildProgress.NONE);
        OnnxModelRunner runner = OnnxModelRunner.open(
                variant.folder(),
                variant.shape(),
                new RunnerConfig(1, KvType.FP32, BLOCK_SIZE, BLOCKS, STEP_TOKENS, STEP_TOKENS));
        loop = audit.start(
                new TemptedModel(runner),
                TOKENIZER,
                new EngineOptions(STEP_TOKENS, STEP_TOKENS, RUNNING, GENERATIONS, true, true));
    }

    @AfterEach
    void stop() {
        loop.close();
        audit.assertClean();
    }

    @Test
    void everyTextIsValidHoweverItIsSampledAndHoweverFewTokensItMayHave() {
        List<Case> cases = cases(
                GENERATIONS,
                (random, fewest) -> fewest
                        + switch (random.nextInt(4)) {
                            case 0 -> 0;
                            case 1 -> random.nextInt(8);
                            case 2 -> random.nextInt(80);
                            // One in ten: more than the context leaves.
                            default -> random.nextInt(10) == 0 ? CONTEXT : 150;
                        });
        for (Case each : cases.subList(0, ALONE)) {
            submit(List.of(each));
            each.recorder().end();
        }
        submit(cases.subList(ALONE, GENERATIONS));

        List<String> wrong = cases.stream()
                .filter(each -> !each.problem().isEmpty())
                .map(each -> each + "\n  " + each.problem())
                .toList();
        assertThat(wrong).isEmpty();
        long atLimit = cases.stream().filter(each -> each.tokensLeft() == 0).count();
        assertThat(atLimit).as("texts that took all their tokens").isBetween(GENERATIONS / 4L, 3L * GENERATIONS / 4);
        EngineStats stats = loop.stats();
        assertThat(stats.running() + stats.waiting() + stats.usedBlocks()).isZero();
        assertThat(stats.failedSteps()).isZero();
        assertThat(stats.completionTokens()).as("many in a step").isGreaterThan(5 * stats.steps());
        assertThat(stats.preemptions()).isPositive();
        assertThat(stats.cachedPromptTokens()).isPositive();
        assertThat(stats.acceptedTokens()).isPositive();
    }

    @Test
    void whereTheTokensCantBeEnoughATextComesAsCloseToItsEndAsItCan() {
        List<Case> cases = cases(GENERATIONS / 10, (random, fewest) -> 1 + random.nextInt(Math.max(1, fewest - 1)));
        submit(cases);

        int cut = 0;
        for (Case each : cases) {
            if (each.recorder().finished().reason() == FinishReason.STOP) {
                assertThat(each.problem()).as(each.toString()).isEmpty();
            } else {
                cut++;
                assertThat(each.tokensLeft()).as(each.toString()).isZero();
                assertThat(each.canEndWithin(
                                each.fewest() - each.request().sampling().maxTokens()))
                        .as(each.toString())
                        .isTrue();
            }
        }
        assertThat(cut).isGreaterThan(GENERATIONS / 20);
    }

    private void submit(List<Case> cases) {
        cases.forEach(each -> loop.submit(each.request(), each.recorder()));
    }

    private interface Budget {
        int maxTokens(Random random, int fewest);
    }

    /** So many generations under different schemas; those that can't be held are left out. */
    private static List<Case> cases(int count, Budget budget) {
        Constraints constraints = new Constraints(TOKENIZER);
        Set<JsonNode> schemas = new HashSet<>();
        List<Case> cases = new ArrayList<>();
        int refused = 0;
        for (int seed = 1_000_000; cases.size() < count; seed++) {
            Random random = new Random(seed);
            JsonNode schema = new RandomSchemas(random).next();
            if (!schemas.add(schema)) {
                continue;
            }
            OutputConstraint constraint;
            try {
                constraint = constraints.compile(new OutputForm.Json(schema));
            } catch (ConstraintException e) {
                refused++;
                continue;
            }
            int fewest = fewestTokens(constraint);
            SamplingParams.Builder sampling = SamplingParams.builder(budget.maxTokens(random, fewest))
                    .seed(seed)
                    .eosTokens(Set.of(TOKENIZER.end()))
                    .constraint(constraint)
                    .topLogprobs(0);
            vary(sampling, cases.size());
            String text = schema.toString();
            String prompt = text.substring(0, Math.min(text.length(), 1 + random.nextInt(48)));
            GenerationRequest request =
                    new GenerationRequest("seed " + seed, TOKENIZER.encode(prompt, false), sampling.build());
            cases.add(new Case(request, schema, fewest, new Recorder()));
        }
        assertThat(refused).as("refused").isLessThan(count / 4);
        return cases;
    }

    /** Sets what else decides about tokens, by turns. */
    private static void vary(SamplingParams.Builder sampling, int turn) {
        switch (turn % 10) {
            case 0 -> sampling.topP(0.8f);
            case 1 -> sampling.topK(5);
            case 2 -> sampling.minP(0.3f);
            case 3 -> sampling.topP(0.95f).topK(40).minP(0.01f);
            case 4 -> sampling.repetitionPenalty(1.3f).frequencyPenalty(0.5f).presencePenalty(0.5f);
            // Says the same again and again.
            case 5 -> sampling.repetitionPenalty(0.7f).frequencyPenalty(-2);
            // Never closes anything, or opens all that it can.
            case 6 -> sampling.logitBias(bias("\"]}", -100));
            case 7 -> sampling.logitBias(bias("[{", 100));
            default -> {}
        }
    }

    /** A bias of all tokens that have one of these characters. */
    private static Map<Integer, Float> bias(String characters, float value) {
        Map<Integer, Float> bias = new HashMap<>();
        for (int token = 0; token < TOKENIZER.vocabSize(); token++) {
            String text = new String(TOKENIZER.bytes(token), StandardCharsets.UTF_8);
            if (text.chars().anyMatch(c -> characters.indexOf(c) >= 0)) {
                bias.put(token, value);
            }
        }
        return bias;
    }

    /** How many tokens are enough for the shortest text, if each is a byte. */
    private static int fewestTokens(OutputConstraint constraint) {
        OutputFollower start = constraint.follow();
        int first = BitSet.valueOf(start.allowedWithin(0)).nextSetBit(0);
        return 1
                + IntStream.range(0, CONTEXT)
                        .filter(left -> start.canEndWithin(first, left))
                        .findFirst()
                        .orElseThrow();
    }

    /**
     * A generation.
     *
     * @param fewest tokens that are enough for the shortest text
     */
    private record Case(GenerationRequest request, JsonNode schema, int fewest, Recorder recorder) {
        /** What is wrong with its end or its text; empty if nothing is. */
        String problem() {
            if (!(recorder.end() instanceof Finished finished)) {
                return recorder.end().toString();
            }
            String text = recorder.text();
            if (!text.equals(textOfTokens())) {
                return "%s is not what the tokens say: %s".formatted(text, textOfTokens());
            }
            if (finished.reason() != FinishReason.STOP && tokensLeft() > 0) {
                return "%s with %d tokens left".formatted(finished.reason(), tokensLeft());
            }
            String errors = new SchemaJudge(schema).errors(text);
            return errors.isEmpty() ? "" : text + "\n  " + errors;
        }

        int tokensLeft() {
            int most = Math.min(request.sampling().maxTokens(), CONTEXT - request.promptTokens().length);
            return most - recorder.finished().usage().completionTokens();
        }

        /** Whether its text could end within so many tokens more. */
        boolean canEndWithin(int tokens) {
            OutputFollower follower =
                    requireNonNull(request.sampling().constraint()).follow();
            List<Integer> said = tokens();
            said.subList(0, said.size() - 1).forEach(follower::accept);
            return follower.canEndWithin(said.getLast(), tokens);
        }

        private List<Integer> tokens() {
            return recorder.logprobs().stream().map(TokenLogprob::token).toList();
        }

        private String textOfTokens() {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            tokens().forEach(token -> bytes.writeBytes(TOKENIZER.bytes(token)));
            return bytes.toString(StandardCharsets.UTF_8);
        }

        @Override
        public String toString() {
            return "%s under %s: %s".formatted(request.id(), schema, recorder.text());
        }
    }

    /** A model that would rather say what no text has: ids beyond the vocabulary, and bytes that UTF-8 lacks. */
    private static final class TemptedModel extends WrappedModel {
        private static final int[] NONSENSE = IntStream.concat(
                        IntStream.rangeClosed(0xF5, 0xFF), IntStream.range(TOKENIZER.vocabSize(), VOCAB))
                .toArray();

        private int steps;

        TemptedModel(ModelRunner model) {
            super(model);
        }

        @Override
        public MemorySegment run(StepBatch batch) {
            steps++;
            if (steps > MOST_STEPS) {
                throw new IllegalStateException("still at it after " + MOST_STEPS + " steps");
            }
            MemorySegment logits = super.run(batch);
            for (int row = 0; row < batch.rows(); row++) {
                for (int token : NONSENSE) {
                    logits.setAtIndex(ValueLayout.JAVA_FLOAT, (long) row * VOCAB + token, 50);
                }
            }
            return logits;
        }
    }
}
