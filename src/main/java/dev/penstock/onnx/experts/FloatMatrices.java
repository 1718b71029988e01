package dev.penstock.onnx.experts;

import dev.penstock.onnx.parallel.Workers;

/**
 * Weights as floats, the experts' matrices one after the other.
 *
 * @param config the layer
 * @param gate address of [experts * inner, hidden]
 * @param up likewise
 * @param down address of [experts * hidden, inner]
 */
public record FloatMatrices(ExpertConfig config, long gate, long up, long down) implements ExpertMatrices {
    /** Below so many rows of weights a thread does them alone. */
    static final int ROWS_ALONE = 64;

    @Override
    public void multiply(Kind kind, int expert, long input, int rows, long output, Workers workers) {
        int outputs = kind == Kind.DOWN ? config.hidden() : config.inner();
        int inputs = kind == Kind.DOWN ? config.inner() : config.hidden();
        long all = switch (kind) {
            case GATE -> gate;
            case UP -> up;
            case DOWN -> down;
        };
        long weights = all + 4L * expert * outputs * inputs;
        Parallel.share(outputs, ROWS_ALONE, workers, (from, to) -> {
            for (int n = from; n < to; n++) {
                ExpertKernels.dots(weights + 4L * n * inputs, input, rows, inputs, output + 4L * n, outputs);
            }
        });
    }
}
