package dev.penstock.ops.bench;

import dev.penstock.engine.EngineObserver;
import dev.penstock.engine.EngineOptions;
import dev.penstock.engine.OnnxModelRunner;
import dev.penstock.engine.RunnerConfig;
import dev.penstock.engine.StepLoop;
import dev.penstock.hardware.ComputePeak;
import dev.penstock.hardware.MemoryBandwidth;
import dev.penstock.weights.Variant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/** Runs a plan on a variant and reports medians. */
public final class ModelBench {
    private static final int BLOCK_SIZE = 16;
    /** Tokens of a step, and so of a prompt's chunk. */
    private static final int MAX_STEP_TOKENS = 512;
    /** Significant digits of recorded times. */
    private static final int DIGITS = 4;
    /** Tokens that each sequence generates through the step loop. */
    private static final int ENGINE_TOKENS = 64;

    private ModelBench() {}

    /**
     * Measures; takes from seconds to minutes, with the steps' threads on all cores.
     *
     * @param name of the model, for the report
     * @throws IllegalArgumentException a case is longer than the model's context
     */
    public static BenchReport run(String name, Variant variant, BenchPlan plan) throws InterruptedException {
        int longest = plan.contextLength() + (plan.engine() ? ENGINE_TOKENS : 0);
        if (longest > variant.shape().contextLength()) {
            throw new IllegalArgumentException("a case takes %d tokens of a sequence; %s has a context of %d"
                    .formatted(longest, name, variant.shape().contextLength()));
        }
        BenchReport.Machine machine = new BenchReport.Machine(
                MemoryBandwidth.measure(plan.threads()), ComputePeak.measureFp32(plan.threads()));
        // Neither the building of the variant nor the measuring of the machine is part of serving.
        PeakMemory.reset();
        List<BenchReport.Result> results = new ArrayList<>();
        Rating rating = new Rating(new ModelCost(variant.shape(), variant.precision(), plan.kvType()), machine);
        try (OnnxModelRunner runner = open(variant, plan, plan.blocks(BLOCK_SIZE))) {
            runner.fillCache(1);
            steps(runner, plan).forEach((benchCase, times) -> results.add(rating.rate(benchCase, median(times))));
        }
        if (plan.engine()) {
            for (BenchCase benchCase : plan.cases()) {
                if (benchCase instanceof BenchCase.Decode decode) {
                    results.add(engine(variant, plan, decode, rating));
                }
            }
        }
        Long peak = PeakMemory.bytes().isPresent() ? PeakMemory.bytes().getAsLong() : null;
        return new BenchReport(
                name,
                variant.precision().label(),
                plan.kvType().label(),
                plan.threads(),
                machine,
                List.copyOf(results),
                peak);
    }

    private static OnnxModelRunner open(Variant variant, BenchPlan plan, int blocks) {
        return OnnxModelRunner.open(
                variant.folder(),
                variant.shape(),
                new RunnerConfig(
                        plan.threads(),
                        plan.kvType(),
                        BLOCK_SIZE,
                        blocks,
                        Math.max(MAX_STEP_TOKENS, plan.maxBatch() + 1),
                        plan.maxBatch()));
    }

    private static Map<BenchCase, Histogram> steps(OnnxModelRunner runner, BenchPlan plan) {
        StepBench bench = new StepBench(runner);
        Map<BenchCase, Histogram> times = new LinkedHashMap<>();
        plan.cases().forEach(benchCase -> times.put(benchCase, new Histogram(DIGITS)));
        for (int round = -1; round < plan.rounds(); round++) {
            boolean timed = round >= 0;
            times.forEach((benchCase, histogram) ->
                    bench.run(benchCase, plan.steps(), timed ? histogram::recordValue : ignored -> {}));
        }
        return times;
    }

    private static BenchReport.Result engine(Variant variant, BenchPlan plan, BenchCase.Decode decode, Rating rating)
            throws InterruptedException {
        int context = decode.context() + ENGINE_TOKENS;
        int blocks = decode.batch() * (Math.ceilDiv(context, BLOCK_SIZE) + 1);
        OnnxModelRunner runner = open(variant, plan, blocks);
        EngineOptions options =
                new EngineOptions(MAX_STEP_TOKENS, MAX_STEP_TOKENS, decode.batch(), decode.batch(), false, false);
        try (StepLoop loop = StepLoop.start(
                "bench", runner, new NumberTokenizer(variant.shape().vocabSize()), options, EngineObserver.NONE)) {
            EngineBench bench = new EngineBench(loop, variant.shape().vocabSize());
            Histogram stepNs = new Histogram(DIGITS);
            for (int round = -1; round < plan.rounds(); round++) {
                double rate = bench.tokensPerSecond(decode.batch(), decode.context(), ENGINE_TOKENS);
                if (round >= 0) {
                    stepNs.recordValue(Math.round(decode.batch() / rate * 1e9));
                }
            }
            return rating.rateEngine(decode, median(stepNs));
        }
    }

    /** Holds times against bounds. */
    private record Rating(ModelCost cost, BenchReport.Machine machine) {
        BenchReport.Result rate(BenchCase benchCase, double seconds) {
            return switch (benchCase) {
                case BenchCase.Prompt prompt -> result("prompt", prompt, prompt.tokens(), prompt.tokens(), seconds);
                case BenchCase.Decode decode -> result("decode", decode, decode.context(), decode.batch(), seconds);
            };
        }

        BenchReport.Result rateEngine(BenchCase.Decode decode, double secondsPerStep) {
            return result("engine", decode, decode.context(), decode.batch(), secondsPerStep);
        }

        private BenchReport.Result result(String kind, BenchCase benchCase, int context, int tokens, double seconds) {
            return new BenchReport.Result(
                    kind,
                    benchCase.sequences(),
                    context,
                    seconds * 1e3,
                    tokens / seconds,
                    cost.bytes(benchCase) / seconds / machine.readBytesPerSecond(),
                    cost.operations(benchCase) / seconds / machine.fp32OperationsPerSecond());
        }
    }

    /** In seconds. */
    private static double median(Histogram timesNs) {
        return timesNs.getValueAtPercentile(50) / 1e9;
    }
}
