package dev.penstock.onnx.gemm;

/**
 * How a tile of M quantised rows lies in memory: block after block of 32 numbers, in each first the bytes of all rows,
 * then their scales (32-bit floats), then their starting values (32-bit integers). One pointer then reaches all.
 */
final class ActivationLayout {
    private ActivationLayout() {}

    /** Bytes of one block of a tile. */
    static int blockBytes(int rows) {
        return rows * (PackedLayout.BLOCK + 4 + 4);
    }

    /** Where a row's bytes begin in a block. */
    static int bytesOffset(int row) {
        return row * PackedLayout.BLOCK;
    }

    /** Where a row's scale stands in a block. */
    static int scaleOffset(int rows, int row) {
        return rows * PackedLayout.BLOCK + 4 * row;
    }

    /** Where a row's starting value stands in a block. */
    static int startOffset(int rows, int row) {
        return rows * (PackedLayout.BLOCK + 4) + 4 * row;
    }
}
