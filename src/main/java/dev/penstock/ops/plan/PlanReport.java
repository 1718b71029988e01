package dev.penstock.ops.plan;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a model would run here; its JSON is this record.
 *
 * @param model folder or name of the shape
 * @param sequences that should run at once
 * @param context tokens of each
 * @param wantedTokensPerSecond what each of them should decode at
 * @param device what it would run on
 * @param options a line for each precision, the most exact first
 * @param choice precision to take; absent where none fits
 * @param reason why
 * @param gpus what GPUs have room for
 */
public record PlanReport(
        String model,
        int sequences,
        int context,
        double wantedTokensPerSecond,
        Device device,
        List<Option> options,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String choice,
        String reason,
        List<GpuFit> gpus) {

    /**
     * A device, as measured.
     *
     * @param name what it is called
     * @param threads that would run a step
     * @param totalBytes its memory
     * @param availableBytes what is left of it now
     * @param readBytesPerSecond memory read bandwidth
     * @param fp32OperationsPerSecond 32-bit multiplications and additions
     */
    public record Device(
            String name,
            int threads,
            long totalBytes,
            long availableBytes,
            double readBytesPerSecond,
            double fp32OperationsPerSecond) {}

    /**
     * A precision.
     *
     * @param precision of the weights
     * @param kv type of the KV cache
     * @param weightBytes bytes of the weights
     * @param kvBytes bytes of the KV cache for all sequences
     * @param speed absent where weights and cache alone don't fit
     * @param fits whether all of it fits into the memory that is left
     * @param mostSequences sequences of that context that fit
     */
    public record Option(
            String precision,
            String kv,
            long weightBytes,
            long kvBytes,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            Speed speed,

            boolean fits,
            long mostSequences) {

        /** Bytes of weights, cache and the rest, as far as that is known. */
        long bytes() {
            return weightBytes + kvBytes + (speed == null ? 0 : speed.restBytes());
        }

        /** The speed, if it fits. */
        Optional<Speed> usable() {
            return fits ? Optional.ofNullable(speed) : Optional.empty();
        }
    }

    /**
     * What is to be expected of a precision.
     *
     * @param restBytes memory beside weights and cache
     * @param prefillTokensPerSecond of one prompt
     * @param decodeTokensPerSecond of one sequence alone
     * @param decodeTokensPerSecondOfAll of all sequences together
     * @param decodeBound what all could decode at together if nothing but memory's speed counted
     */
    public record Speed(
            long restBytes,
            double prefillTokensPerSecond,
            double decodeTokensPerSecond,
            double decodeTokensPerSecondOfAll,
            double decodeBound) {}

    /** A table for people. */
    public String table() {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "%s, %d sequences of %d tokens on %s: %d threads, %.1f of %.1f GiB free, reads %.1f GB/s, computes %.0f GFLOP/s in fp32%n%n",
                model,
                sequences,
                context,
                device.name,
                device.threads,
                gib(device.availableBytes),
                gib(device.totalBytes),
                device.readBytesPerSecond / 1e9,
                device.fp32OperationsPerSecond / 1e9));
        text.append(String.format(
                "%-8s %-5s %11s %8s %9s %5s %9s %10s %9s %9s %9s%n",
                "weights",
                "KV",
                "weights GiB",
                "KV GiB",
                "rest GiB",
                "fits",
                "sequences",
                "prefill/s",
                "decode/s",
                "of all",
                "bound"));
        for (Option o : options) {
            text.append(String.format(
                    Locale.ROOT,
                    "%-8s %-5s %11.2f %8.2f %9s %5s %9d",
                    o.precision,
                    o.kv,
                    gib(o.weightBytes),
                    gib(o.kvBytes),
                    o.speed == null ? "-" : String.format(Locale.ROOT, "%.2f", gib(o.speed.restBytes)),
                    o.fits ? "yes" : "no",
                    o.mostSequences));
            text.append(
                    o.speed == null
                            ? String.format(" %10s %9s %9s %9s%n", "-", "-", "-", "-")
                            : String.format(
                                    Locale.ROOT,
                                    " %10.1f %9.1f %9.1f %9.1f%n",
                                    o.speed.prefillTokensPerSecond,
                                    o.speed.decodeTokensPerSecond,
                                    o.speed.decodeTokensPerSecondOfAll,
                                    o.speed.decodeBound));
        }
        text.append(String.format("%n%s%n", reason));
        gpus.forEach(gpu -> text.append(String.format("%n%s%n", gpu.line())));
        return text.toString();
    }

    static double gib(long bytes) {
        return bytes / (double) (1 << 30);
    }
}
