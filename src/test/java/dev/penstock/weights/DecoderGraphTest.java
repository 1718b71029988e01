package dev.penstock.weights;

import static dev.penstock.weights.PackedRuns.BLOCKS;
import static dev.penstock.weights.PackedRuns.BLOCK_SIZE;
import static dev.penstock.weights.PackedRuns.FP32_TOLERANCE;
import static dev.penstock.weights.PackedRuns.alone;
import static dev.penstock.weights.PackedRuns.difference;
import static dev.penstock.weights.PackedRuns.row;
import static dev.penstock.weights.PackedRuns.run;
import static dev.penstock.weights.PackedRuns.together;
import static dev.penstock.weights.PackedRuns.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.engine.OnnxModelRunner;
import dev.penstock.engine.RunnerConfig;
import dev.penstock.engine.StepBatch;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.weights.PackedRuns.Chunk;
import dev.penstock.weights.PackedRuns.Sequence;
import dev.penstock.weights.TinyModels.Tiny;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Logits of built graphs against {@link ReferenceModel}. */
class DecoderGraphTest {
    @TempDir
    Path temp;

    static Stream<TinyModel> models() {
        return Stream.concat(TinyModels.all(), TinyFamilies.all());
    }

    static Stream<Arguments> modelsInLayouts() {
        return models().flatMap(t ->
                Stream.of(WeightLayout.STANDARD, WeightLayout.PACKED).map(l -> Arguments.of(t, l)));
    }

    @ParameterizedTest
    @MethodSource("models")
    void logitsOfFp32AreThoseOfTheReference(TinyModel tiny) {
        Path folder = tiny.write(temp.resolve("model"));
        ReferenceModel reference = ReferenceModel.read(folder);
        Random random = new Random(tiny.seed());
        try (OnnxModelRunner runner = open(ModelFolder.open(folder))) {
            assertThat(alone(runner, reference, random)).isLessThan(FP32_TOLERANCE);
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void raggedBatchesGiveEachSequenceItsOwnLogits(TinyModel tiny) {
        Path folder = tiny.write(temp.resolve("model"));
        ReferenceModel reference = ReferenceModel.read(folder);
        Random random = new Random(tiny.seed() + 1);
        try (OnnxModelRunner runner = open(ModelFolder.open(folder))) {
            assertThat(together(runner, reference, random)).isLessThan(FP32_TOLERANCE);
        }
    }

    @Test
    void onlyWantedRowsComeOutInTheOrderAskedFor() {
        Tiny tiny = TinyModels.gqa();
        Path folder = tiny.write(temp.resolve("model"));
        ReferenceModel reference = ReferenceModel.read(folder);
        try (OnnxModelRunner runner = open(ModelFolder.open(folder))) {
            Sequence s = new Sequence(reference, tokens(new Random(1), 20, tiny.vocab()), 0);
            assertThat(run(runner, List.of(new Chunk(s, 10)))).isEmpty();
            s.done += 10;
            List<double[]> rows = run(runner, List.of(new Chunk(s, 10)), 9, 0, 9);
            assertThat(rows).hasSize(3);
            assertThat(difference(rows.get(0), s.expected[19])).isLessThan(FP32_TOLERANCE);
            assertThat(difference(rows.get(1), s.expected[10])).isLessThan(FP32_TOLERANCE);
            assertThat(rows.get(2)).isEqualTo(rows.get(0));
        }
    }

    /**
     * Mean divergence in nats. The bounds are about twice what was seen: small random matrices lose more by rounding
     * than large trained ones, most of all where the embedding, small beside what the layers add, is the head too, and
     * where a token can be sent to another expert.
     */
    @ParameterizedTest
    @MethodSource("modelsInLayouts")
    void quantisedLogitsStayNear(TinyModel tiny, WeightLayout layout) {
        Assumptions.assumeTrue(layout == WeightLayout.STANDARD || layout == WeightLayout.ofThisMachine());
        Path folder = tiny.write(temp.resolve("model"));
        ReferenceModel reference = ReferenceModel.read(folder);
        assertThat(divergence(tiny, folder, reference, Precision.INT8, layout))
                .isLessThan(tiny.sparse() ? 0.05 : tiny.tied() ? 0.004 : 0.0015);
        assertThat(divergence(tiny, folder, reference, Precision.INT4, layout))
                .isLessThan(tiny.sparse() ? 0.9 : tiny.tied() ? 0.3 : 0.1);
    }

    @ParameterizedTest
    @MethodSource("models")
    void halfPrecisionCacheHardlyMatters(TinyModel tiny) {
        Path folder = tiny.write(temp.resolve("model"));
        ReferenceModel reference = ReferenceModel.read(folder);
        assertThat(divergence(tiny, folder, reference, Precision.FP32, WeightLayout.STANDARD))
                .isLessThan(1e-6);
    }

    /** With a cache of halves. */
    private double divergence(
            TinyModel tiny, Path folder, ReferenceModel reference, Precision precision, WeightLayout layout) {
        try (OnnxModelRunner runner = open(ModelFolder.open(folder), precision, layout, KvType.FP16)) {
            double sum = 0;
            Sequence s = new Sequence(reference, tokens(new Random(7), 64, tiny.vocab()), 0);
            List<double[]> rows = run(
                    runner, List.of(new Chunk(s, 64)), LongStream.range(0, 64).toArray());
            for (int t = 0; t < 64; t++) {
                sum += divergence(s.expected[t], rows.get(t));
            }
            return sum / 64;
        }
    }

    @Test
    void storiesModelTellsItsStory() {
        Path folder = Path.of(System.getProperty("penstock.shared", "../shared"), "models", "stories260k");
        Assumptions.assumeTrue(Files.isDirectory(folder));
        int[] prompt = {1, 403, 407, 261, 378};
        int[] expected =
                ReferenceModel.read(folder).greedy(Arrays.stream(prompt).boxed().toList(), 100);
        try (OnnxModelRunner runner = open(ModelFolder.open(folder))) {
            assertThat(greedy(runner, prompt, 100)).isEqualTo(expected);
        }
    }

    private static int[] greedy(OnnxModelRunner runner, int[] prompt, int count) {
        int[] all = Arrays.copyOf(prompt, prompt.length + count);
        int done = 0;
        for (int length = prompt.length; length < all.length; length++) {
            long[] ids = Arrays.stream(all, done, length).asLongStream().toArray();
            int[] table = IntStream.range(0, 8).toArray();
            MemorySegment logits = runner.run(new StepBatch(
                    ids,
                    ids.length,
                    new int[] {0, ids.length},
                    new int[] {done},
                    1,
                    table,
                    8,
                    new long[] {ids.length - 1},
                    1));
            all[length] = ReferenceModel.argMax(row(logits, 0, runner.shape().vocabSize()));
            done = length;
        }
        return Arrays.copyOfRange(all, prompt.length, all.length);
    }

    private OnnxModelRunner open(ModelFolder folder) {
        return open(folder, Precision.FP32, WeightLayout.STANDARD, KvType.FP32);
    }

    private OnnxModelRunner open(ModelFolder folder, Precision precision, WeightLayout layout, KvType kvType) {
        Variant variant = new ModelStore(temp.resolve("store"))
                .build(folder, precision, new BuildOptions(2, 4096, layout), BuildProgress.NONE);
        return OnnxModelRunner.open(
                variant.folder(), variant.shape(), new RunnerConfig(2, kvType, BLOCK_SIZE, BLOCKS, 256, 256));
    }

    /** Kullback-Leibler divergence of the second distribution from the first, in nats. */
    static double divergence(double[] expected, double[] found) {
        double a = logSum(expected);
        double b = logSum(found);
        double sum = 0;
        for (int i = 0; i < expected.length; i++) {
            sum += Math.exp(expected[i] - a) * ((expected[i] - a) - (found[i] - b));
        }
        return sum;
    }

    private static double logSum(double[] values) {
        double max = Arrays.stream(values).max().orElseThrow();
        return max + Math.log(Arrays.stream(values).map(v -> Math.exp(v - max)).sum());
    }
}
