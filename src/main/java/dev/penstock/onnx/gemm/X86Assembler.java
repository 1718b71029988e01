package dev.penstock.onnx.gemm;

import java.io.ByteArrayOutputStream;

/**
 * Writes x86-64 machine code: the few general instructions that loops need, and 512-bit EVEX instructions (Intel SDM
 * volume 2, 2.7 'Intel AVX-512 encoding'). General registers go by their number: 0 rax, 1 rcx, 2 rdx, 3 rbx, 4 rsp,
 * 5 rbp, 6 rsi, 7 rdi, 8-15 r8-r15. Vector registers are 0-31. A wrong register number is a bug of the caller, not
 * checked here; the tests compare every instruction with what another assembler makes of it.
 */
final class X86Assembler {
    static final int RAX = 0;
    static final int RCX = 1;
    static final int RDX = 2;
    static final int RSI = 6;
    static final int RDI = 7;
    static final int R8 = 8;
    static final int R9 = 9;

    /** Opcode maps of EVEX. */
    private static final int MAP_0F = 1;

    private static final int MAP_0F38 = 2;
    private static final int MAP_0F3A = 3;

    /** Implied prefixes of EVEX. */
    private static final int NONE = 0;

    private static final int P66 = 1;
    private static final int PF3 = 2;

    /** Forms of an instruction: one number, 512 bits, and one number of memory in all lanes. */
    private static final int SCALAR = 0;

    private static final int VECTOR = 2 << 5;
    private static final int BROADCAST = 1 << 4;

    private static final int FULL_VECTOR = 64;
    private static final int HALF_VECTOR = 32;
    private static final int QUARTER_VECTOR = 16;
    private static final int ELEMENT = 4;

    private final ByteArrayOutputStream code = new ByteArrayOutputStream();

    /** A memory operand: the address in a general register, plus a displacement in bytes. */
    record Mem(int base, int displacement) {}

    /** The code so far. */
    byte[] bytes() {
        return code.toByteArray();
    }

    /** The place where the next instruction goes, for {@link #jumpIfNotZero}. */
    int here() {
        return code.size();
    }

    /** {@code add r64, imm32}. */
    void add(int register, int immediate) {
        rexW(0, register);
        emit(0x81);
        emit(0xC0 | register & 7);
        emit32(immediate);
    }

    /** {@code add r64, r64}. */
    void addRegister(int target, int source) {
        rexW(source, target);
        emit(0x01);
        emit(0xC0 | (source & 7) << 3 | target & 7);
    }

    /** {@code dec r64}; sets the zero flag. */
    void decrement(int register) {
        rexW(0, register);
        emit(0xFF);
        emit(0xC8 | register & 7);
    }

    /** {@code jnz} back to a place. */
    void jumpIfNotZero(int place) {
        emit(0x0F);
        emit(0x85);
        emit32(place - (code.size() + 4));
    }

    /** {@code mov r32, imm32}; clears the upper half. */
    void moveImmediate(int register, int immediate) {
        if (register >= 8) {
            emit(0x41);
        }
        emit(0xB8 | register & 7);
        emit32(immediate);
    }

    /** {@code vzeroupper; ret}. */
    void returnFromVectorCode() {
        emit(0xC5);
        emit(0xF8);
        emit(0x77);
        emit(0xC3);
    }

    /** {@code vmovdqu32 zmm, m512}. */
    void load(int target, Mem m) {
        evexMemory(MAP_0F, PF3, 0x6F, target, 0, m, FULL_VECTOR, false);
    }

    /** {@code vmovups m512, zmm}. */
    void store(Mem m, int source) {
        evexMemory(MAP_0F, NONE, 0x11, source, 0, m, FULL_VECTOR, false);
    }

    /** {@code vmovss m32, xmm}: the lowest lane. */
    void storeLane(Mem m, int source) {
        evex(MAP_0F, PF3, source, 0, m.base >> 3 & 1, 0, SCALAR);
        emit(0x11);
        memory(source, m, ELEMENT);
    }

    /** {@code vpbroadcastd zmm, m32}. */
    void broadcast(int target, Mem m) {
        evexMemory(MAP_0F38, P66, 0x58, target, 0, m, ELEMENT, false);
    }

    /** {@code vpbroadcastd zmm, r32}. */
    void broadcastRegister(int target, int general) {
        evexRegister(MAP_0F38, P66, 0x7C, target, 0, general);
    }

    /** {@code vcvtph2ps zmm, m256}: sixteen halves to floats. */
    void loadHalves(int target, Mem m) {
        evexMemory(MAP_0F38, P66, 0x13, target, 0, m, HALF_VECTOR, false);
    }

    /** {@code vpmovsdb m128, zmm}: sixteen ints to bytes, saturating. */
    void storeAsBytes(Mem m, int source) {
        evexMemory(MAP_0F38, PF3, 0x21, source, 0, m, QUARTER_VECTOR, false);
    }

    /** {@code vpdpbusd zmm, zmm, m32{1to16}}: adds dot products of four unsigned with four signed bytes. */
    void dotBytes(int accumulator, int unsigned, Mem signed) {
        evexMemory(MAP_0F38, P66, 0x50, accumulator, unsigned, signed, ELEMENT, true);
    }

    /** {@code vmulps zmm, zmm, m32{1to16}}. */
    void multiplyBroadcast(int target, int source, Mem m) {
        evexMemory(MAP_0F, NONE, 0x59, target, source, m, ELEMENT, true);
    }

    /** {@code vmulps zmm, zmm, zmm}. */
    void multiply(int target, int left, int right) {
        evexRegister(MAP_0F, NONE, 0x59, target, left, right);
    }

    /** {@code vdivps zmm, zmm, zmm}. */
    void divide(int target, int left, int right) {
        evexRegister(MAP_0F, NONE, 0x5E, target, left, right);
    }

    /** {@code vmaxps zmm, zmm, zmm}: where either is not a number, the right one. */
    void max(int target, int left, int right) {
        evexRegister(MAP_0F, NONE, 0x5F, target, left, right);
    }

    /** {@code vfmadd231ps zmm, zmm, zmm}: accumulator += left * right. */
    void fusedMultiplyAdd(int accumulator, int left, int right) {
        evexRegister(MAP_0F38, P66, 0xB8, accumulator, left, right);
    }

    /** {@code vfmadd213ps zmm, zmm, zmm}: target = target * factor + addend. */
    void multiplyThenAdd(int target, int factor, int addend) {
        evexRegister(MAP_0F38, P66, 0xA8, target, factor, addend);
    }

    /** {@code vaddps zmm, zmm, zmm}. */
    void add(int target, int left, int right) {
        evexRegister(MAP_0F, NONE, 0x58, target, left, right);
    }

    /** {@code vsubps zmm, zmm, zmm}. */
    void subtract(int target, int left, int right) {
        evexRegister(MAP_0F, NONE, 0x5C, target, left, right);
    }

    /** {@code vrndscaleps zmm, zmm, 0}: to the nearest whole number, ties to even. */
    void round(int target, int source) {
        evexRegister(MAP_0F3A, P66, 0x08, target, 0, source);
        emit(0);
    }

    /** {@code vscalefps zmm, zmm, zmm}: left times 2 to the power of right. */
    void scale(int target, int left, int right) {
        evexRegister(MAP_0F38, P66, 0x2C, target, left, right);
    }

    /** {@code vcvtdq2ps zmm, zmm}. */
    void intsToFloats(int target, int source) {
        evexRegister(MAP_0F, NONE, 0x5B, target, 0, source);
    }

    /** {@code vcvtps2dq zmm, zmm}: rounds to nearest, ties to even. */
    void floatsToInts(int target, int source) {
        evexRegister(MAP_0F, P66, 0x5B, target, 0, source);
    }

    /** {@code vpandd zmm, zmm, zmm}. */
    void and(int target, int left, int right) {
        evexRegister(MAP_0F, P66, 0xDB, target, left, right);
    }

    /** {@code vpxord zmm, zmm, zmm} of a register with itself. */
    void zero(int target) {
        evexRegister(MAP_0F, P66, 0xEF, target, target, target);
    }

    /** {@code vpaddd zmm, zmm, zmm}. */
    void addInts(int target, int left, int right) {
        evexRegister(MAP_0F, P66, 0xFE, target, left, right);
    }

    /** {@code vpsubd zmm, zmm, zmm}. */
    void subtractInts(int target, int left, int right) {
        evexRegister(MAP_0F, P66, 0xFA, target, left, right);
    }

    /** {@code vpsrld zmm, zmm, imm8}. */
    void shiftRight(int target, int source, int bits) {
        evexRegister(MAP_0F, P66, 0x72, 2, target, source);
        emit(bits);
    }

    /** {@code vpslld zmm, zmm, imm8}. */
    void shiftLeft(int target, int source, int bits) {
        evexRegister(MAP_0F, P66, 0x72, 6, target, source);
        emit(bits);
    }

    /** {@code vshuff32x4 zmm, zmm, zmm, imm8} of a register with itself: moves whole quarters. */
    void shuffleQuarters(int target, int source, int order) {
        evexRegister(MAP_0F3A, P66, 0x23, target, source, source);
        emit(order);
    }

    /** {@code vpermilps zmm, zmm, imm8}: moves lanes within each quarter. */
    void shuffleLanes(int target, int source, int order) {
        evexRegister(MAP_0F3A, P66, 0x04, target, 0, source);
        emit(order);
    }

    private void evexRegister(int map, int prefix, int opcode, int reg, int vvvv, int rm) {
        evex(map, prefix, reg, vvvv, rm >> 3 & 1, rm >> 4 & 1, VECTOR);
        emit(opcode);
        emit(0xC0 | (reg & 7) << 3 | rm & 7);
    }

    /** {@code tuple} is the unit that an 8-bit displacement counts in: SDM table 'Compressed displacement'. */
    private void evexMemory(
            int map, int prefix, int opcode, int reg, int vvvv, Mem m, int tuple, boolean embeddedBroadcast) {
        evex(map, prefix, reg, vvvv, m.base >> 3 & 1, 0, embeddedBroadcast ? VECTOR | BROADCAST : VECTOR);
        emit(opcode);
        memory(reg, m, tuple);
    }

    private void evex(int map, int prefix, int reg, int vvvv, int b, int x, int form) {
        emit(0x62);
        emit((~reg >> 3 & 1) << 7 | (~x & 1) << 6 | (~b & 1) << 5 | (~reg >> 4 & 1) << 4 | map);
        emit((~vvvv & 15) << 3 | 1 << 2 | prefix);
        emit(form | (~vvvv >> 4 & 1) << 3);
    }

    private void memory(int reg, Mem m, int tuple) {
        int field = (reg & 7) << 3 | m.base & 7;
        boolean needsSib = (m.base & 7) == 4;
        int scaled = m.displacement / tuple;
        boolean isShort = m.displacement % tuple == 0 && scaled >= -128 && scaled <= 127;
        emit((isShort ? 0x40 : 0x80) | field);
        if (needsSib) {
            emit(0x24);
        }
        if (isShort) {
            emit(scaled);
        } else {
            emit32(m.displacement);
        }
    }

    private void rexW(int reg, int rm) {
        emit(0x48 | (reg >> 3 & 1) << 2 | rm >> 3 & 1);
    }

    private void emit(int value) {
        code.write(value);
    }

    private void emit32(int value) {
        emit(value);
        emit(value >> 8);
        emit(value >> 16);
        emit(value >> 24);
    }
}
