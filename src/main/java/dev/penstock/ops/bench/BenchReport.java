package dev.penstock.ops.bench;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What the bench found; its JSON is this record.
 *
 * @param model folder or name of the shape
 * @param precision of the weights
 * @param kv type of the KV cache
 * @param threads threads of a step
 * @param machine what this machine was measured to do
 * @param results a line for each case
 * @param peakMemoryBytes most memory that the process held (Linux: VmHWM), the JVM counted in; absent on other systems
 */
public record BenchReport(
        String model,
        String precision,
        String kv,
        int threads,
        Machine machine,
        List<Result> results,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Long peakMemoryBytes) {

    /**
     * The machine's bounds, with as many threads as the bench used.
     *
     * @param readBytesPerSecond memory read bandwidth
     * @param fp32OperationsPerSecond 32-bit multiplications and additions
     */
    public record Machine(double readBytesPerSecond, double fp32OperationsPerSecond) {}

    /**
     * One case.
     *
     * @param kind prompt, decode or engine
     * @param batch sequences at once
     * @param context tokens of a prompt, or before the first decode step
     * @param ms median milliseconds of the prompt, or of a step
     * @param tokensPerSecond tokens of all sequences together
     * @param bandwidthShare bytes that had to be read, over the time, against the machine's read bandwidth
     * @param computeShare operations of the matrix products, over the time, against the machine's fp32 peak; integer
     *     kernels can exceed 1
     */
    public record Result(
            String kind,
            int batch,
            int context,
            double ms,
            double tokensPerSecond,
            double bandwidthShare,
            double computeShare) {}

    /** A table for people. */
    public String table() {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "%s, %s, KV %s, %d threads; this machine reads %.1f GB/s and computes %.0f GFLOP/s in fp32%n%n",
                model,
                precision,
                kv,
                threads,
                machine.readBytesPerSecond / 1e9,
                machine.fp32OperationsPerSecond / 1e9));
        text.append(String.format(
                "%-8s %6s %8s %10s %10s %12s %10s%n",
                "", "batch", "context", "tokens/s", "ms", "bandwidth", "of fp32"));
        for (Result r : results) {
            text.append(String.format(
                    Locale.ROOT,
                    "%-8s %6d %8d %10.1f %10.2f %11.0f%% %9.0f%%%n",
                    r.kind,
                    r.batch,
                    r.context,
                    r.tokensPerSecond,
                    r.ms,
                    100 * r.bandwidthShare,
                    100 * r.computeShare));
        }
        if (peakMemoryBytes != null) {
            text.append(String.format("%npeak memory %d MiB%n", peakMemoryBytes >> 20));
        }
        return text.toString();
    }
}
