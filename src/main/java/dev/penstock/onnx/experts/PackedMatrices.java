package dev.penstock.onnx.experts;

import dev.penstock.onnx.gemm.PackedGemm;
import dev.penstock.onnx.gemm.PackedLayout;
import dev.penstock.onnx.parallel.Workers;

/**
 * Weights in packed panels, the experts' matrices one after the other; both widths are multiples of a panel's outputs.
 *
 * @param config the layer
 * @param bits 4 or 8
 * @param gemm multiplies
 * @param gate address of [experts * inner, hidden]
 * @param up likewise
 * @param down address of [experts * hidden, inner]
 */
public record PackedMatrices(ExpertConfig config, int bits, PackedGemm gemm, long gate, long up, long down)
        implements ExpertMatrices {
    /** The layout of the gates, or of the ups, of all experts. */
    public static PackedLayout inward(ExpertConfig config, int bits) {
        return new PackedLayout(config.experts() * config.inner(), config.hidden(), bits);
    }

    /** The layout of the downs of all experts. */
    public static PackedLayout outward(ExpertConfig config, int bits) {
        return new PackedLayout(config.experts() * config.hidden(), config.inner(), bits);
    }

    /** Whether an expert's matrices begin and end with a panel. */
    public static boolean canPack(int hidden, int inner) {
        return hidden % PackedLayout.PANEL == 0 && inner % PackedLayout.PANEL == 0;
    }

    @Override
    public void multiply(Kind kind, int expert, long input, int rows, long output, Workers workers) {
        PackedLayout one = kind == Kind.DOWN
                ? new PackedLayout(config.hidden(), config.inner(), bits)
                : new PackedLayout(config.inner(), config.hidden(), bits);
        long all = switch (kind) {
            case GATE -> gate;
            case UP -> up;
            case DOWN -> down;
        };
        gemm.multiply(input, rows, all + expert * one.bytes(), one, output, workers);
    }
}
