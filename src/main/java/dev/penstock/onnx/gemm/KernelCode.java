package dev.penstock.onnx.gemm;

import dev.penstock.onnx.gemm.X86Assembler.Mem;

/**
 * Writes the two kernels of a matrix product over packed weights (layout: {@link PackedLayout}) for x86-64 with AVX-512
 * VNNI. Both follow the System V calling convention, use no stack and no callee-saved register.
 *
 * <p>The product of a tile of M rows with a panel of 16 outputs goes block by block of 32 numbers: the weights of a block
 * stay in eight registers as unsigned bytes, four numbers of each of the 16 outputs a register; each row's signed bytes
 * come as embedded broadcasts of four; {@code vpdpbusd} sums in integers. That weights are stored with an offset (8 for
 * 4 bits, 128 for 8 bits) is made good by the sum's starting value, -offset times the sum of the row's bytes, which the
 * quantising kernel leaves beside them. Then one conversion, one product with the row's scale and one fused
 * multiply-add with the 16 weight scales bring the block into the row's accumulator.
 */
final class KernelCode {
    /** Rows of the largest tile: its accumulators, the weights and six sums under way fill the 32 registers. */
    static final int MAX_TILE_ROWS = 12;

    private static final int SCALES = 8;
    private static final int NIBBLES = 9;
    private static final int FIRST_SUM = 10;
    private static final int SUMS = 6;
    private static final int FIRST_ACCUMULATOR = 16;

    /** Vectors of 4 x 16 weights in a block of 32. */
    private static final int GROUPS = 8;

    private KernelCode() {}

    /**
     * The product of a tile with one panel: {@code void (panel rdi, tile rsi, output rdx, output stride in bytes rcx, pairs
     * of blocks r8)}; at least one pair.
     */
    static byte[] multiply(int bits, int rows) {
        X86Assembler asm = new X86Assembler();
        if (bits == 4) {
            constant(asm, NIBBLES, 0x0F0F0F0F);
        }
        for (int r = 0; r < rows; r++) {
            asm.zero(FIRST_ACCUMULATOR + r);
        }
        int pairBytes = PackedLayout.pairBytes(bits);
        int loop = asm.here();
        for (int block = 0; block < 2; block++) {
            loadWeights(asm, bits, PackedLayout.PAIR_SCALE_BYTES + block * PackedLayout.blockWeightBytes(bits));
            asm.loadHalves(SCALES, new Mem(X86Assembler.RDI, block * PackedLayout.PAIR_SCALE_BYTES / 2));
            for (int first = 0; first < rows; first += SUMS) {
                addRows(asm, rows, block, first, Math.min(SUMS, rows - first));
            }
        }
        asm.add(X86Assembler.RDI, pairBytes);
        asm.add(X86Assembler.RSI, 2 * ActivationLayout.blockBytes(rows));
        asm.decrement(X86Assembler.R8);
        asm.jumpIfNotZero(loop);
        for (int r = 0; r < rows; r++) {
            asm.store(new Mem(X86Assembler.RDX, 0), FIRST_ACCUMULATOR + r);
            asm.addRegister(X86Assembler.RDX, X86Assembler.RCX);
        }
        asm.returnFromVectorCode();
        return asm.bytes();
    }

    private static void loadWeights(X86Assembler asm, int bits, int offset) {
        if (bits == 8) {
            for (int g = 0; g < GROUPS; g++) {
                asm.load(g, new Mem(X86Assembler.RDI, offset + 64 * g));
            }
            return;
        }
        int half = GROUPS / 2;
        for (int g = 0; g < half; g++) {
            asm.load(g, new Mem(X86Assembler.RDI, offset + 64 * g));
            asm.shiftRight(g + half, g, 4);
            asm.and(g, g, NIBBLES);
            asm.and(g + half, g + half, NIBBLES);
        }
    }

    /** Rows side by side, so that the latency of one's sum is hidden by the others'. */
    private static void addRows(X86Assembler asm, int rows, int block, int first, int count) {
        int tile = block * ActivationLayout.blockBytes(rows);
        for (int i = 0; i < count; i++) {
            int start = tile + ActivationLayout.startOffset(rows, first + i);
            asm.broadcast(FIRST_SUM + i, new Mem(X86Assembler.RSI, start));
        }
        for (int g = 0; g < GROUPS; g++) {
            for (int i = 0; i < count; i++) {
                int bytes = tile + ActivationLayout.bytesOffset(first + i) + 4 * g;
                asm.dotBytes(FIRST_SUM + i, g, new Mem(X86Assembler.RSI, bytes));
            }
        }
        for (int i = 0; i < count; i++) {
            int sum = FIRST_SUM + i;
            int scale = tile + ActivationLayout.scaleOffset(rows, first + i);
            asm.intsToFloats(sum, sum);
            asm.multiplyBroadcast(sum, sum, new Mem(X86Assembler.RSI, scale));
            asm.fusedMultiplyAdd(FIRST_ACCUMULATOR + first + i, sum, SCALES);
        }
    }

    /**
     * Quantises one row of floats to bytes, block by block, each with a scale of its own: {@code void (row rdi, bytes rsi,
     * scales rdx, starts rcx, bytes from one block to the next r8, blocks r9)}; at least one block.
     */
    static byte[] quantise(int weightBits) {
        int abs = 16;
        int limit = 17;
        int inverseLimit = 18;
        int floor = 19;
        int nought = 20;
        X86Assembler asm = new X86Assembler();
        constant(asm, abs, 0x7FFFFFFF);
        constant(asm, limit, Float.floatToRawIntBits(127));
        constant(asm, inverseLimit, Float.floatToRawIntBits(1f / 127));
        // A block of noughts must not divide by nought.
        constant(asm, floor, Float.floatToRawIntBits(1e-30f));
        asm.zero(nought);
        int loop = asm.here();
        asm.load(0, new Mem(X86Assembler.RDI, 0));
        asm.load(1, new Mem(X86Assembler.RDI, 64));
        asm.and(2, 0, abs);
        asm.and(3, 1, abs);
        asm.max(2, 2, 3);
        for (int order : new int[] {0x4E, 0xB1}) {
            asm.shuffleQuarters(3, 2, order);
            asm.max(2, 2, 3);
        }
        for (int order : new int[] {0x4E, 0xB1}) {
            asm.shuffleLanes(3, 2, order);
            asm.max(2, 2, 3);
        }
        asm.max(2, 2, floor);
        asm.multiply(4, 2, inverseLimit);
        asm.storeLane(new Mem(X86Assembler.RDX, 0), 4);
        asm.divide(5, limit, 2);
        for (int v = 0; v < 2; v++) {
            asm.multiply(v, v, 5);
            asm.floatsToInts(v, v);
            asm.storeAsBytes(new Mem(X86Assembler.RSI, 16 * v), v);
        }
        asm.addInts(0, 0, 1);
        for (int order : new int[] {0x4E, 0xB1}) {
            asm.shuffleQuarters(1, 0, order);
            asm.addInts(0, 0, 1);
        }
        for (int order : new int[] {0x4E, 0xB1}) {
            asm.shuffleLanes(1, 0, order);
            asm.addInts(0, 0, 1);
        }
        // Offset 8 is 1 << 3, offset 128 is 1 << 7.
        asm.shiftLeft(0, 0, weightBits - 1);
        asm.subtractInts(0, nought, 0);
        asm.storeLane(new Mem(X86Assembler.RCX, 0), 0);
        asm.add(X86Assembler.RDI, 4 * PackedLayout.BLOCK);
        for (int pointer : new int[] {X86Assembler.RSI, X86Assembler.RDX, X86Assembler.RCX}) {
            asm.addRegister(pointer, X86Assembler.R8);
        }
        asm.decrement(X86Assembler.R9);
        asm.jumpIfNotZero(loop);
        asm.returnFromVectorCode();
        return asm.bytes();
    }

    private static void constant(X86Assembler asm, int target, int bits) {
        asm.moveImmediate(X86Assembler.RAX, bits);
        asm.broadcastRegister(target, X86Assembler.RAX);
    }
}
