package dev.penstock.ops.plan;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.penstock.hardware.Gpu;
import dev.penstock.model.Device;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.weights.BuildOptions;
import dev.penstock.weights.ModelFolderException;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.RawModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What of a model a GPU has room for. How fast it would be is not told, since it is not measured.
 *
 * @param device its label
 * @param name what it is called
 * @param totalBytes its memory
 * @param freeBytes what is left of it now
 * @param fits a line for each precision that there is, the most exact first
 * @param refusal why there is none; absent where there is one
 */
public record GpuFit(
        String device,
        String name,
        long totalBytes,
        long freeBytes,
        List<Fit> fits,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String refusal) {
    /**
     * A precision.
     *
     * @param precision of the weights
     * @param weightBytes bytes of the weights
     * @param mostSequences sequences for which the KV cache has room; none where the weights don't fit
     */
    public record Fit(String precision, long weightBytes, long mostSequences) {}

    /** For sequences of so many tokens. */
    static GpuFit of(Gpu gpu, RawModel source, int context) {
        Device device = new Device.Cuda(gpu.index());
        long perSequence = context * source.shape().kvBytesPerToken(KvType.FP16);
        List<Fit> fits = new ArrayList<>();
        String refusal = null;
        for (Precision precision : source.precisions(device)) {
            try {
                long weights = ModelStore.weightBytes(source, precision, BuildOptions.on(device));
                fits.add(new Fit(precision.label(), weights, Math.max(0, gpu.usableBytes() - weights) / perSequence));
            } catch (ModelFolderException e) {
                refusal = e.getMessage();
            }
        }
        return new GpuFit(
                device.label(),
                gpu.name(),
                gpu.totalBytes(),
                gpu.freeBytes(),
                List.copyOf(fits),
                fits.isEmpty() ? refusal : null);
    }

    /** A line for people. */
    String line() {
        String each = refusal != null
                ? refusal
                : fits.stream()
                        .map(f -> String.format(
                                Locale.ROOT,
                                "%s takes %.2f GiB and leaves room for %d sequences",
                                f.precision,
                                PlanReport.gib(f.weightBytes),
                                f.mostSequences))
                        .collect(Collectors.joining("; "));
        return String.format(
                Locale.ROOT,
                "%s, %s, %.1f of %.1f GiB free: %s",
                device,
                name,
                PlanReport.gib(freeBytes),
                PlanReport.gib(totalBytes),
                each);
    }
}
