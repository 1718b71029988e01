package dev.penstock.ops.plan;

import dev.penstock.hardware.ComputePeak;
import dev.penstock.hardware.Gpus;
import dev.penstock.hardware.MachineMemory;
import dev.penstock.hardware.MemoryBandwidth;
import dev.penstock.model.DecoderShape;
import dev.penstock.model.Device;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.ops.bench.BenchCase;
import dev.penstock.ops.bench.ModelCost;
import dev.penstock.ops.bench.SliverBench;
import dev.penstock.weights.BuildOptions;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.RawModel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Measures this machine and a sliver of a model at each precision that fits, and chooses the most exact one that is fast
 * enough.
 *
 * @param store where slivers are built
 * @param threads of a step
 * @param sequences that should run at once
 * @param context tokens of each
 * @param wantedTokensPerSecond what each of them should decode at
 */
public record Planner(ModelStore store, int threads, int sequences, int context, double wantedTokensPerSecond) {
    /** Plans; takes seconds to a minute, with all cores busy. */
    public PlanReport plan(String name, RawModel source) throws IOException {
        MachineMemory memory = MachineMemory.here();
        PlanReport.Device device = new PlanReport.Device(
                "cpu",
                threads,
                memory.totalBytes(),
                memory.availableBytes(),
                MemoryBandwidth.measure(threads),
                ComputePeak.measureFp32(threads));
        List<PlanReport.Option> options = new ArrayList<>();
        for (Precision precision : source.precisions(Device.CPU)) {
            options.add(option(source, precision, device));
        }
        Optional<PlanReport.Option> choice = choice(options);
        return new PlanReport(
                name,
                sequences,
                context,
                wantedTokensPerSecond,
                device,
                List.copyOf(options),
                choice.map(PlanReport.Option::precision).orElse(null),
                reason(options, choice, device.availableBytes()),
                Gpus.find().stream().map(gpu -> GpuFit.of(gpu, source, context)).toList());
    }

    private PlanReport.Option option(RawModel source, Precision precision, PlanReport.Device device)
            throws IOException {
        DecoderShape shape = source.shape();
        KvType kvType = precision == Precision.FP32 ? KvType.FP32 : KvType.FP16;
        long weights = ModelStore.weightBytes(source, precision, BuildOptions.defaults());
        long perSequence = context * shape.kvBytesPerToken(kvType);
        long kv = Math.multiplyExact(sequences, perSequence);
        PlanReport.@Nullable Speed speed = null;
        if (weights + kv <= device.availableBytes()) {
            SliverBench sliver = SliverBench.measure(store, shape, precision, kvType, threads, sequences, context);
            double stepBytes = new ModelCost(shape, precision, kvType).bytes(new BenchCase.Decode(sequences, context));
            speed = new PlanReport.Speed(
                    sliver.restBytes(),
                    sliver.prefillTokensPerSecond(),
                    sliver.decodeTokensPerSecond(),
                    sliver.decodeTokensPerSecondOfAll(),
                    sequences * device.readBytesPerSecond() / stepBytes);
        }
        long room = device.availableBytes() - weights - (speed == null ? 0 : speed.restBytes());
        return new PlanReport.Option(
                precision.label(),
                kvType.label(),
                weights,
                kv,
                speed,
                speed != null && kv <= room,
                Math.max(0, room / perSequence));
    }

    /** The most exact one that is fast enough, else the fastest; empty if none fits. */
    Optional<PlanReport.Option> choice(List<PlanReport.Option> options) {
        ToDoubleFunction<PlanReport.Option> rate = o ->
                o.usable().map(PlanReport.Speed::decodeTokensPerSecondOfAll).orElse(0.0) / sequences;
        return options.stream()
                .filter(o -> rate.applyAsDouble(o) >= wantedTokensPerSecond)
                .findFirst()
                .or(() -> options.stream().filter(o -> o.usable().isPresent()).max(Comparator.comparingDouble(rate)));
    }

    String reason(List<PlanReport.Option> options, Optional<PlanReport.Option> choice, long availableBytes) {
        if (choice.isEmpty()) {
            PlanReport.Option least = options.stream()
                    .min(Comparator.comparingLong(PlanReport.Option::bytes))
                    .orElseThrow();
            return String.format(
                    Locale.ROOT,
                    "Nothing fits: the smallest, %s, takes %.2f GiB of the %.2f GiB that are free.",
                    least.precision(),
                    PlanReport.gib(least.bytes()),
                    PlanReport.gib(availableBytes));
        }
        PlanReport.Option chosen = choice.get();
        double each = chosen.usable()
                        .map(PlanReport.Speed::decodeTokensPerSecondOfAll)
                        .orElse(0.0)
                / sequences;
        return String.format(
                Locale.ROOT,
                each >= wantedTokensPerSecond
                        ? "Take %s: the most exact that fits and decodes %.1f tokens/s for each sequence; %.1f are wanted."
                        : "Take %s: the fastest that fits, with %.1f tokens/s for each sequence; none reaches the %.1f that are wanted.",
                chosen.precision(),
                each,
                wantedTokensPerSecond);
    }
}
