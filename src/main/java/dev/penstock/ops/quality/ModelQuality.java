package dev.penstock.ops.quality;

import dev.penstock.engine.OnnxModelRunner;
import dev.penstock.engine.RunnerConfig;
import dev.penstock.engine.StepBatch;
import dev.penstock.model.Device;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.ops.bench.StepSpeed;
import dev.penstock.weights.BuildOptions;
import dev.penstock.weights.BuildProgress;
import dev.penstock.weights.ModelSource;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.RawModel;
import dev.penstock.weights.Rounding;
import dev.penstock.weights.Variant;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Holds each way to store a model against full precision: both predict the same windows, chunk by chunk, and their
 * logits are compared at once. So two variants are in memory at a time, and the logits of one chunk of each.
 */
public final class ModelQuality {
    /** Tokens of a step: as many rows of logits are held. */
    private static final int CHUNK = 64;

    private static final int BLOCK_SIZE = 16;

    private final ModelStore store;
    private final ModelSource source;
    private final TextWindows text;
    private final int threads;

    /** Measures {@code source} on a text. */
    public ModelQuality(ModelStore store, ModelSource source, TextWindows text, int threads) {
        this.store = store;
        this.source = source;
        this.text = text;
        this.threads = threads;
    }

    /** A way to store weights and KV cache. */
    record Way(Precision precision, Rounding rounding, KvType kvType) {
        /** Full precision, or the most exact that there is, which the others are held against. */
        static Way reference(ModelSource source) {
            return new Way(source.precisions(Device.CPU).getFirst(), Rounding.SEARCH, KvType.FP32);
        }

        /** All that a model can be stored in: caches with its most exact weights, then other weights with the usual cache. */
        static List<Way> all(ModelSource source) {
            List<Precision> precisions = source.precisions(Device.CPU);
            List<Way> ways = new ArrayList<>();
            for (KvType kvType : KvType.values()) {
                ways.add(new Way(precisions.getFirst(), Rounding.SEARCH, kvType));
            }
            for (Precision precision : precisions.subList(1, precisions.size())) {
                ways.add(new Way(precision, Rounding.SEARCH, KvType.FP16));
            }
            if (source instanceof RawModel) {
                ways.add(new Way(Precision.INT4, Rounding.NEAREST, KvType.FP16));
            }
            return ways;
        }
    }

    /**
     * Measures all ways.
     *
     * @param model its name, for the report
     * @param textName likewise
     */
    public QualityReport report(String model, String textName) {
        long tokens = text.windows().stream().mapToLong(w -> w.length - 1).sum();
        return new QualityReport(model, textName, tokens, text.longest(), threads, measure(Way.all(source)));
    }

    /** Measures these ways, each in turn. */
    List<QualityReport.Result> measure(List<Way> ways) {
        List<QualityReport.Result> results = new ArrayList<>();
        Way exact = Way.reference(source);
        try (OnnxModelRunner reference = open(build(exact), exact)) {
            double full = compare(reference, reference).perplexity();
            for (Way way : ways) {
                Variant variant = build(way);
                Divergence found;
                try (OnnxModelRunner runner = open(variant, way)) {
                    found = compare(reference, runner);
                }
                results.add(result(way, variant, found, full));
            }
        }
        return results;
    }

    private QualityReport.Result result(Way way, Variant variant, Divergence found, double full) {
        StepSpeed speed = StepSpeed.measure(variant, way.kvType(), threads);
        return new QualityReport.Result(
                way.precision().label(),
                way.precision().has4Bits() ? way.rounding().label() : "-",
                way.kvType().label(),
                variant.weightBytes(),
                variant.shape().kvBytesPerToken(way.kvType()),
                found.perplexity(),
                found.perplexity() / full - 1,
                found.meanDivergence(),
                found.agreement(),
                speed.prefillTokensPerSecond(),
                speed.decodeTokensPerSecond());
    }

    private Variant build(Way way) {
        return store.build(
                source, way.precision(), BuildOptions.defaults().withRounding(way.rounding()), BuildProgress.NONE);
    }

    private OnnxModelRunner open(Variant variant, Way way) {
        return OnnxModelRunner.open(
                variant.folder(),
                variant.shape(),
                new RunnerConfig(
                        threads, way.kvType(), BLOCK_SIZE, Math.ceilDiv(text.longest(), BLOCK_SIZE), CHUNK, CHUNK));
    }

    private Divergence compare(OnnxModelRunner reference, OnnxModelRunner runner) {
        Divergence divergence = new Divergence(reference.shape().vocabSize());
        for (int[] window : text.windows()) {
            for (int done = 0; done < window.length - 1; done += CHUNK) {
                int count = Math.min(CHUNK, window.length - 1 - done);
                StepBatch step = step(window, done, count);
                MemorySegment expected = reference.run(step);
                MemorySegment found = runner == reference ? expected : runner.run(step);
                divergence.add(expected, found, Arrays.copyOfRange(window, done + 1, done + 1 + count));
            }
        }
        return divergence;
    }

    /** A chunk of one sequence, with the logits of all its tokens. */
    private static StepBatch step(int[] window, int done, int count) {
        long[] ids = new long[count];
        long[] rows = new long[count];
        for (int i = 0; i < count; i++) {
            ids[i] = window[done + i];
            rows[i] = i;
        }
        int[] blocks = new int[Math.ceilDiv(done + count, BLOCK_SIZE)];
        Arrays.setAll(blocks, b -> b);
        return new StepBatch(ids, count, new int[] {0, count}, new int[] {done}, 1, blocks, blocks.length, rows, count);
    }
}
