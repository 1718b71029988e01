package dev.penstock.onnx.experts;

import dev.penstock.onnx.parallel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Weights as com.microsoft.MatMulNBits has them, codes of 4 or 8 bits in blocks of 32 with a scale each, the experts'
 * matrices one after the other. Each row becomes floats on its way to the products: for processors that have no packed
 * kernels.
 *
 * @param config the layer
 * @param bits 4 or 8
 * @param gate codes and scales of [experts * inner, hidden]
 * @param up likewise
 * @param down codes and scales of [experts * hidden, inner]
 */
public record BlockMatrices(ExpertConfig config, int bits, Blocks gate, Blocks up, Blocks down)
        implements ExpertMatrices {
    private static final int BLOCK = 32;

    /**
     * Where a matrix is.
     *
     * @param codes address of [rows, blocks, bytes of a block]
     * @param scales address of [rows, blocks] floats
     */
    public record Blocks(long codes, long scales) {}

    @Override
    public void multiply(Kind kind, int expert, long input, int rows, long output, Workers workers) {
        int outputs = kind == Kind.DOWN ? config.hidden() : config.inner();
        int inputs = kind == Kind.DOWN ? config.inner() : config.hidden();
        Blocks all = switch (kind) {
            case GATE -> gate;
            case UP -> up;
            case DOWN -> down;
        };
        int blocks = (inputs + BLOCK - 1) / BLOCK;
        int width = blocks * BLOCK;
        long codeBytes = (long) blocks * BLOCK * bits / 8;
        long codes = all.codes() + (long) expert * outputs * codeBytes;
        long scales = all.scales() + 4L * expert * outputs * blocks;
        // Other threads reach the memory by its address, so that a confined arena, which is cheap to close, will do.
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment shuffled = arena.allocate(4L * rows * width, 64);
            for (int r = 0; r < rows; r++) {
                ExpertKernels.shuffle(
                        input + 4L * r * inputs, inputs, bits, shuffled.address() + 4L * r * width, blocks);
            }
            Parallel.share(outputs, FloatMatrices.ROWS_ALONE, workers, (from, to) -> {
                try (Arena own = Arena.ofConfined()) {
                    long row = own.allocate(4L * width, 64).address();
                    for (int n = from; n < to; n++) {
                        ExpertKernels.decode(codes + n * codeBytes, scales + 4L * n * blocks, bits, blocks, row);
                        ExpertKernels.dots(row, shuffled.address(), rows, width, output + 4L * n, outputs);
                    }
                }
            });
        }
    }
}
