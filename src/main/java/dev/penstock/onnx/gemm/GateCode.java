package dev.penstock.onnx.gemm;

import dev.penstock.onnx.gemm.X86Assembler.Mem;

/**
 * Writes the kernel that joins a tile of a gate and of its partner: activation(gate) * up, for x86-64 with AVX-512 F. The
 * exponential is 2^n * 2^f, n whole and f at most a half, with the Taylor series of 2^f to the sixth power: its error is
 * that of a rounding to float.
 */
final class GateCode {
    private static final int SERIES_TERMS = 7;

    private static final int GATE = 0;
    private static final int UP = 1;
    private static final int POWER = 2;
    private static final int WHOLE = 3;
    private static final int RESULT = 4;

    private static final int LINEAR = 16;
    private static final int CUBIC = 17;
    private static final int FIRST_TERM = 18;
    private static final int ONE = FIRST_TERM;

    private GateCode() {}

    /**
     * {@code void (gate rdi, up rsi, output rdx, output stride in bytes rcx, rows r8)}: rows of 16 floats, 64 bytes apart in
     * both inputs; at least one row.
     */
    static byte[] gate(Activation activation) {
        X86Assembler asm = new X86Assembler();
        boolean cubic = activation.cubic() != 0;
        // The exponent is that of sigmoid's e^-x, in powers of two.
        double exponent = -1 / Math.log(2);
        constant(asm, LINEAR, exponent * activation.linear());
        if (cubic) {
            constant(asm, CUBIC, exponent * activation.cubic());
        }
        double term = 1;
        for (int i = 0; i < SERIES_TERMS; i++) {
            constant(asm, FIRST_TERM + i, term);
            term *= Math.log(2) / (i + 1);
        }
        int loop = asm.here();
        asm.load(GATE, new Mem(X86Assembler.RDI, 0));
        asm.load(UP, new Mem(X86Assembler.RSI, 0));
        if (cubic) {
            asm.multiply(POWER, GATE, GATE);
            asm.multiplyThenAdd(POWER, CUBIC, LINEAR);
            asm.multiply(POWER, POWER, GATE);
        } else {
            asm.multiply(POWER, GATE, LINEAR);
        }
        asm.round(WHOLE, POWER);
        asm.subtract(POWER, POWER, WHOLE);
        asm.multiply(RESULT, POWER, FIRST_TERM + SERIES_TERMS - 1);
        asm.add(RESULT, RESULT, FIRST_TERM + SERIES_TERMS - 2);
        for (int i = SERIES_TERMS - 3; i >= 0; i--) {
            asm.multiplyThenAdd(RESULT, POWER, FIRST_TERM + i);
        }
        asm.scale(RESULT, RESULT, WHOLE);
        asm.add(RESULT, RESULT, ONE);
        asm.divide(RESULT, GATE, RESULT);
        asm.multiply(RESULT, RESULT, UP);
        asm.store(new Mem(X86Assembler.RDX, 0), RESULT);
        asm.add(X86Assembler.RDI, 4 * PackedLayout.PANEL);
        asm.add(X86Assembler.RSI, 4 * PackedLayout.PANEL);
        asm.addRegister(X86Assembler.RDX, X86Assembler.RCX);
        asm.decrement(X86Assembler.R8);
        asm.jumpIfNotZero(loop);
        asm.returnFromVectorCode();
        return asm.bytes();
    }

    private static void constant(X86Assembler asm, int target, double value) {
        asm.moveImmediate(X86Assembler.RAX, Float.floatToRawIntBits((float) value));
        asm.broadcastRegister(target, X86Assembler.RAX);
    }
}
