package dev.penstock.weights;

import dev.penstock.model.Device;
import dev.penstock.model.Precision;

/**
 * How a variant is built.
 *
 * @param threads threads that convert and quantise
 * @param contextLimit most positions that the graph is made for, where the model itself would take more
 * @param layout how matrices are laid out
 * @param rounding how 4-bit codes are found
 */
public record BuildOptions(int threads, int contextLimit, WeightLayout layout, Rounding rounding) {
    /** Beyond this the rotary tables of a model with a huge context would weigh more than they are worth. */
    private static final int DEFAULT_CONTEXT_LIMIT = 131_072;

    /** With the better rounding. */
    public BuildOptions(int threads, int contextLimit, WeightLayout layout) {
        this(threads, contextLimit, layout, Rounding.SEARCH);
    }

    /** One thread for each processor, the layout that is fastest on the CPU here. */
    public static BuildOptions defaults() {
        return on(Device.CPU);
    }

    /** One thread for each processor, the layout that is fastest on the device. */
    public static BuildOptions on(Device device) {
        return new BuildOptions(
                Runtime.getRuntime().availableProcessors(), DEFAULT_CONTEXT_LIMIT, WeightLayout.of(device));
    }

    /** The same with another rounding. */
    public BuildOptions withRounding(Rounding other) {
        return new BuildOptions(threads, contextLimit, layout, other);
    }

    /** The same for another layout. */
    public BuildOptions withLayout(WeightLayout other) {
        return new BuildOptions(threads, contextLimit, other, rounding);
    }

    /**
     * The layout that a variant of a precision gets.
     *
     * @throws IllegalArgumentException the precision is not there in this layout
     */
    public WeightLayout layoutOf(Precision precision) {
        return switch (precision) {
            case FP16 -> {
                if (layout != WeightLayout.CUDA) {
                    throw new IllegalArgumentException(
                            "fp16 is for CUDA devices; on the CPU take int8 or int4, which are smaller and faster, or fp32");
                }
                yield layout;
            }
            // Numbers as they are have no layout, so that variants of them are the same everywhere.
            case FP32 -> {
                if (layout == WeightLayout.CUDA) {
                    throw new IllegalArgumentException("fp32 is for the CPU; on CUDA devices take fp16, int8 or int4");
                }
                yield WeightLayout.STANDARD;
            }
            case INT8, INT4, MIXED -> layout;
        };
    }

    /** Checks that both are positive. */
    public BuildOptions {
        if (threads < 1 || contextLimit < 1) {
            throw new IllegalArgumentException(
                    "expected threads and contextLimit of at least 1, found " + threads + " and " + contextLimit);
        }
    }
}
