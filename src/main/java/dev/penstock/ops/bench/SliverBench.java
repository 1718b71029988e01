package dev.penstock.ops.bench;

import dev.penstock.engine.OnnxModelRunner;
import dev.penstock.engine.RunnerConfig;
import dev.penstock.model.DecoderShape;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.weights.BuildOptions;
import dev.penstock.weights.BuildProgress;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.RandomModel;
import dev.penstock.weights.Rounding;
import dev.penstock.weights.Variant;
import java.io.IOException;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * Foretells the speed of a model from a sliver of it: a few of its layers and the same share of its vocabulary, with random
 * weights, run in earnest. All that a step costs goes with layers or vocabulary, so the model takes as many times longer as
 * it has more of both.
 *
 * @param prefillTokensPerSecond of one prompt
 * @param decodeTokensPerSecond of one sequence alone
 * @param decodeTokensPerSecondOfAll of all sequences together
 * @param restBytes memory that the process took beside the sliver's weights and cache; 0 where the system doesn't say
 */
public record SliverBench(
        double prefillTokensPerSecond,
        double decodeTokensPerSecond,
        double decodeTokensPerSecondOfAll,
        long restBytes) {
    /** Weights that a sliver reads in a step, at least: far more than the last level of caches holds for long. */
    private static final long LAYER_BYTES = 256L << 20;

    private static final int MAX_PROMPT = 512;
    private static final int STEPS = 8;
    private static final int ROUNDS = 3;
    private static final int BLOCK_SIZE = 16;
    private static final int DIGITS = 4;

    /**
     * Measures.
     *
     * @param store where the sliver is built
     * @param sequences that decode at once
     * @param context tokens that each has before it decodes, and of the prompt, of which 512 are computed at most
     */
    public static SliverBench measure(
            ModelStore store,
            DecoderShape shape,
            Precision precision,
            KvType kvType,
            int threads,
            int sequences,
            int context)
            throws IOException {
        DecoderShape sliver = sliver(shape, precision, context + STEPS);
        double times = (double) shape.layers() / sliver.layers();
        Variant variant = store.build(
                RandomModel.ofShape("sliver", sliver, false, 1),
                precision,
                // Speed is the same however codes are found.
                BuildOptions.defaults().withRounding(Rounding.NEAREST),
                BuildProgress.NONE);
        BenchCase prompt = new BenchCase.Prompt(Math.min(context, MAX_PROMPT));
        BenchCase one = new BenchCase.Decode(1, context);
        BenchCase all = new BenchCase.Decode(sequences, context);
        List<BenchCase> cases = List.of(prompt, one, all);
        List<Histogram> timesNs = cases.stream().map(c -> new Histogram(DIGITS)).toList();
        int blocks = cases.stream()
                .mapToInt(c -> StepBench.blocks(c, BLOCK_SIZE, STEPS))
                .max()
                .orElseThrow();
        PeakMemory.reset();
        try (OnnxModelRunner runner = OnnxModelRunner.open(
                variant.folder(),
                sliver,
                new RunnerConfig(threads, kvType, BLOCK_SIZE, blocks, Math.max(MAX_PROMPT, sequences), sequences))) {
            runner.fillCache(1);
            StepBench bench = new StepBench(runner);
            for (int round = -1; round < ROUNDS; round++) {
                for (int i = 0; i < cases.size(); i++) {
                    Histogram histogram = timesNs.get(i);
                    bench.run(cases.get(i), STEPS, round < 0 ? ignored -> {} : histogram::recordValue);
                }
            }
        }
        long held = variant.weightBytes() + (long) blocks * BLOCK_SIZE * sliver.kvBytesPerToken(kvType);
        return new SliverBench(
                Math.min(context, MAX_PROMPT) / (seconds(timesNs.get(0)) * promptTimes(shape, sliver)),
                1 / (seconds(timesNs.get(1)) * times),
                sequences / (seconds(timesNs.get(2)) * times),
                Math.max(0, PeakMemory.bytes().orElse(held) - held));
    }

    /** As many layers as it takes for a step to read enough weights, and their share of the vocabulary. */
    private static DecoderShape sliver(DecoderShape shape, Precision precision, int context) {
        ModelCost cost = new ModelCost(shape, precision, KvType.FP16);
        double layerBytes = cost.layerBytes(1) / shape.layers();
        int layers = Math.min(shape.layers(), Math.max(2, (int) Math.ceil(LAYER_BYTES / layerBytes)));
        long vocab = Math.max(32, (long) shape.vocabSize() * layers / shape.layers());
        return new DecoderShape(
                shape.family(),
                layers,
                shape.hiddenSize(),
                shape.heads(),
                shape.kvHeads(),
                shape.headSize(),
                shape.innerSize(),
                Math.toIntExact(vocab),
                context,
                shape.experts(),
                shape.chosenExperts());
    }

    /**
     * How many times longer the model's prompt takes. In the last layer only the wanted row goes on after attention, which
     * saves nearly a layer: a larger part of few layers than of many.
     */
    private static double promptTimes(DecoderShape shape, DecoderShape sliver) {
        double heads = shape.heads() + 2.0 * shape.kvHeads();
        double layer = new ModelCost(shape, Precision.FP32, KvType.FP32).layerWeights(1) / (double) shape.layers();
        double saved = 1 - shape.hiddenSize() * heads * shape.headSize() / layer;
        return (shape.layers() - saved) / (sliver.layers() - saved);
    }

    private static double seconds(Histogram timesNs) {
        return timesNs.getValueAtPercentile(50) / 1e9;
    }
}
