package dev.penstock.onnx.gemm;

import java.util.Arrays;

/**
 * How the weights of a matrix product lie in memory: outputs in panels of 16, inputs in blocks of 32 with one scale
 * (binary16) for each output and block, so that a panel is read from its first to its last byte.
 *
 * <p>A panel is a row of pairs of blocks: 16 scales of the first, 16 scales of the second, weights of the first, weights of
 * the second. The weights of a block at 8 bits are eight vectors of 64 bytes; byte {@code 4 n + j} of vector g is the
 * weight of output n and input {@code 4 g + j}, plus 128. At 4 bits they are four vectors; the low half of that byte
 * belongs to input {@code 4 g + j}, the high half to input {@code 16 + 4 g + j}, plus 8 each. Outputs and blocks that
 * fill up a panel have scale 0.
 *
 * @param outputs rows of the weight matrix, N
 * @param inputs columns of the weight matrix, K
 * @param bits 4 or 8
 */
public record PackedLayout(int outputs, int inputs, int bits) {
    /** Inputs that share a scale. */
    public static final int BLOCK = 32;

    /** Outputs of a panel. */
    public static final int PANEL = 16;

    /** Scales of a pair of blocks. */
    static final int PAIR_SCALE_BYTES = 2 * 2 * PANEL;

    /** Checks the bits and that there is something to multiply. */
    public PackedLayout {
        if (bits != 4 && bits != 8) {
            throw new IllegalArgumentException("weights of " + bits + " bits: 4 and 8 are packed");
        }
        if (outputs < 1 || inputs < 1) {
            throw new IllegalArgumentException("weights of shape [" + outputs + ", " + inputs + "]");
        }
    }

    static int blockWeightBytes(int bits) {
        return PANEL * BLOCK * bits / 8;
    }

    static int pairBytes(int bits) {
        return PAIR_SCALE_BYTES + 2 * blockWeightBytes(bits);
    }

    /** Pairs of blocks of an output, the last one filled up. */
    public int pairs() {
        return (inputs + 2 * BLOCK - 1) / (2 * BLOCK);
    }

    /** Inputs when the last pair of blocks is filled up: the width that rows of activations are brought to. */
    public int paddedInputs() {
        return pairs() * 2 * BLOCK;
    }

    /** Panels, the last one filled up. */
    public int panels() {
        return (outputs + PANEL - 1) / PANEL;
    }

    /** Bytes of a panel; a multiple of 64. */
    public int panelBytes() {
        return pairs() * pairBytes(bits);
    }

    /** Bytes of all. */
    public long bytes() {
        return (long) panels() * panelBytes();
    }

    /** What weights are stored with on top, so that they are unsigned: 8 or 128. */
    public int offset() {
        return 1 << (bits - 1);
    }

    /** Where the scale of an output (0-15 in its panel) and block stands in a panel. */
    public int scaleOffset(int output, int block) {
        return block / 2 * pairBytes(bits) + block % 2 * 2 * PANEL + 2 * output;
    }

    /** Where the byte of an output (0-15 in its panel) and input stands in a panel. */
    public int weightOffset(int output, int input) {
        int block = input / BLOCK;
        int within = input % BLOCK;
        if (bits == 4) {
            within %= BLOCK / 2;
        }
        int start = block / 2 * pairBytes(bits) + PAIR_SCALE_BYTES + block % 2 * blockWeightBytes(bits);
        return start + within / 4 * 64 + 4 * output + within % 4;
    }

    /** How far up in its byte a weight stands: 4 for the high half of 4-bit weights, else 0. */
    public int weightShift(int input) {
        return bits == 4 && input % BLOCK >= BLOCK / 2 ? 4 : 0;
    }

    /**
     * Brings rows of codes into a panel.
     *
     * @param codes [rows, blocks of 32, 4 * bits] as com.microsoft.MatMulNBits has them: an output's numbers one after the
     *     other, at 4 bits the first of two in the low half; a code q stands for (q - offset) * scale
     * @param scales [rows, blocks of 32]
     * @param first the row that is the panel's first output
     * @param rows rows from there on, at most 16
     * @param panel {@link #panelBytes} bytes, overwritten
     * @param panelStart where in that array
     * @throws ArithmeticException a scale is too large for binary16
     */
    public void pack(byte[] codes, float[] scales, int first, int rows, byte[] panel, int panelStart) {
        int rowBlocks = (inputs + BLOCK - 1) / BLOCK;
        int blockCodes = BLOCK * bits / 8;
        Arrays.fill(panel, panelStart, panelStart + panelBytes(), (byte) 0);
        for (int n = 0; n < rows; n++) {
            for (int b = 0; b < rowBlocks; b++) {
                int block = (first + n) * rowBlocks + b;
                putScale(scales[block], panel, panelStart + scaleOffset(n, b));
                int to = panelStart + weightOffset(n, b * BLOCK);
                if (bits == 8) {
                    for (int i = 0; i < BLOCK; i++) {
                        panel[to + i / 4 * 64 + i % 4] = codes[block * blockCodes + i];
                    }
                } else {
                    putNibbles(codes, block * blockCodes, panel, to);
                }
            }
        }
    }

    /** Inputs i and 16 + i share a byte here, 2 i and 2 i + 1 do where they come from. */
    private static void putNibbles(byte[] codes, int from, byte[] panel, int to) {
        for (int i = 0; i < BLOCK / 2; i += 2) {
            int low = codes[from + i / 2];
            int high = codes[from + BLOCK / 4 + i / 2];
            int at = to + i / 4 * 64 + i % 4;
            panel[at] = (byte) (low & 0x0F | high << 4);
            panel[at + 1] = (byte) (low >> 4 & 0x0F | high & 0xF0);
        }
    }

    private static void putScale(float scale, byte[] panel, int at) {
        short half = Float.floatToFloat16(scale);
        if ((half & 0x7C00) == 0x7C00) {
            throw new ArithmeticException("a scale of " + scale + " is beyond what 16 bits hold");
        }
        panel[at] = (byte) half;
        panel[at + 1] = (byte) (half >> 8);
    }
}
