package dev.penstock.onnx.gemm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * Reads single outputs of packed weights back as floats, so that an embedding table that is also the head is there
 * once. In plain Java: it works on every machine, and a step reads few rows.
 */
public final class PackedRows {
    private PackedRows() {}

    /**
     * Writes the weights of one output.
     *
     * @param weights all packed weights
     * @param row the output, 0 to N - 1
     * @param to at least K floats from {@code at} bytes on
     */
    public static void read(MemorySegment weights, PackedLayout layout, int row, MemorySegment to, long at) {
        long panel = (long) (row / PackedLayout.PANEL) * layout.panelBytes();
        int output = row % PackedLayout.PANEL;
        int mask = (1 << layout.bits()) - 1;
        for (int first = 0; first < layout.inputs(); first += PackedLayout.BLOCK) {
            int block = first / PackedLayout.BLOCK;
            short half = weights.get(JAVA_SHORT_UNALIGNED, panel + layout.scaleOffset(output, block));
            float scale = Float.float16ToFloat(half);
            int end = Math.min(first + PackedLayout.BLOCK, layout.inputs());
            for (int k = first; k < end; k++) {
                int code =
                        weights.get(JAVA_BYTE, panel + layout.weightOffset(output, k)) >> layout.weightShift(k) & mask;
                to.set(JAVA_FLOAT, at + 4L * k, (code - layout.offset()) * scale);
            }
        }
    }
}
