package dev.penstock.onnx.gemm;

import static dev.penstock.onnx.gemm.X86Assembler.R8;
import static dev.penstock.onnx.gemm.X86Assembler.R9;
import static dev.penstock.onnx.gemm.X86Assembler.RAX;
import static dev.penstock.onnx.gemm.X86Assembler.RCX;
import static dev.penstock.onnx.gemm.X86Assembler.RDI;
import static dev.penstock.onnx.gemm.X86Assembler.RDX;
import static dev.penstock.onnx.gemm.X86Assembler.RSI;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.penstock.onnx.gemm.X86Assembler.Mem;
import java.util.HexFormat;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The expected bytes are what GNU as 2.40 makes of the same instructions. */
class X86AssemblerTest {
    static Stream<Arguments> instructions() {
        return Stream.of(
                instruction("add $0x1234,%rsi", "4881c634120000", a -> a.add(RSI, 0x1234)),
                instruction("add $0x7fffffff,%r9", "4981c1ffffff7f", a -> a.add(R9, 0x7fff_ffff)),
                instruction("add %rcx,%rdx", "4801ca", a -> a.addRegister(RDX, RCX)),
                instruction("add %rax,%r8", "4901c0", a -> a.addRegister(R8, RAX)),
                instruction("add %r9,%rdi", "4c01cf", a -> a.addRegister(RDI, R9)),
                instruction("dec %r8", "49ffc8", a -> a.decrement(R8)),
                instruction("dec %rdi", "48ffcf", a -> a.decrement(RDI)),
                instruction("mov $0x0F0F0F0F,%eax", "b80f0f0f0f", a -> a.moveImmediate(RAX, 0x0F0F0F0F)),
                instruction("mov $7,%r9d", "41b907000000", a -> a.moveImmediate(R9, 7)),
                instruction("vmovdqu32 128(%rdi),%zmm3", "62f17e486f5f02", a -> a.load(3, new Mem(RDI, 128))),
                instruction("vmovdqu32 100(%r9),%zmm31", "62417e486fb964000000", a -> a.load(31, new Mem(R9, 100))),
                instruction("vmovdqu32 -8192(%rsp),%zmm17", "62e17e486f4c2480", a -> a.load(17, new Mem(4, -8192))),
                instruction("{disp8} vmovups %zmm16,0(%rcx)", "62e17c48114100", a -> a.store(new Mem(RCX, 0), 16)),
                instruction("vmovups %zmm9,8192(%rdx)", "62717c48118a00200000", a -> a.store(new Mem(RDX, 8192), 9)),
                instruction("{evex} vmovss %xmm4,4(%rdx)", "62f17e08116201", a -> a.storeLane(new Mem(RDX, 4), 4)),
                instruction("vmovss %xmm20,3(%r8)", "62c17e0811a003000000", a -> a.storeLane(new Mem(R8, 3), 20)),
                instruction("vpbroadcastd 36(%rsi),%zmm10", "62727d48585609", a -> a.broadcast(10, new Mem(RSI, 36))),
                instruction("vpbroadcastd %eax,%zmm18", "62e27d487cd0", a -> a.broadcastRegister(18, RAX)),
                instruction("vpbroadcastd %r9d,%zmm9", "62527d487cc9", a -> a.broadcastRegister(9, R9)),
                instruction("vcvtph2ps 32(%rdi),%zmm8", "62727d48134701", a -> a.loadHalves(8, new Mem(RDI, 32))),
                instruction(
                        "vcvtph2ps 33(%rdi),%zmm24", "62627d48138721000000", a -> a.loadHalves(24, new Mem(RDI, 33))),
                instruction("vpmovsdb %zmm1,16(%rsi)", "62f27e48214e01", a -> a.storeAsBytes(new Mem(RSI, 16), 1)),
                instruction(
                        "vpdpbusd 508(%rsi){1to16},%zmm7,%zmm12",
                        "6272455850667f", a -> a.dotBytes(12, 7, new Mem(RSI, 508))),
                instruction(
                        "vpdpbusd 512(%r8){1to16},%zmm30,%zmm29",
                        "62420d5050a800020000", a -> a.dotBytes(29, 30, new Mem(R8, 512))),
                instruction(
                        "vmulps 40(%rsi){1to16},%zmm15,%zmm15",
                        "62710458597e0a", a -> a.multiplyBroadcast(15, 15, new Mem(RSI, 40))),
                instruction("vmulps %zmm18,%zmm2,%zmm4", "62b16c4859e2", a -> a.multiply(4, 2, 18)),
                instruction("vdivps %zmm2,%zmm17,%zmm5", "62f174405eea", a -> a.divide(5, 17, 2)),
                instruction("vmaxps %zmm19,%zmm3,%zmm2", "62b164485fd3", a -> a.max(2, 3, 19)),
                instruction("vfmadd231ps %zmm8,%zmm14,%zmm27", "62420d48b8d8", a -> a.fusedMultiplyAdd(27, 14, 8)),
                instruction("vfmadd213ps %zmm21,%zmm3,%zmm14", "62326548a8f5", a -> a.multiplyThenAdd(14, 3, 21)),
                instruction("vaddps %zmm25,%zmm1,%zmm18", "6281744858d1", a -> a.add(18, 1, 25)),
                instruction("vsubps %zmm2,%zmm30,%zmm9", "62710c405cca", a -> a.subtract(9, 30, 2)),
                instruction("vrndscaleps $0,%zmm17,%zmm4", "62b37d4808e100", a -> a.round(4, 17)),
                instruction("vscalefps %zmm6,%zmm22,%zmm31", "62624d402cfe", a -> a.scale(31, 22, 6)),
                instruction("vcvtdq2ps %zmm30,%zmm13", "62117c485bee", a -> a.intsToFloats(13, 30)),
                instruction("vcvtps2dq %zmm16,%zmm1", "62b17d485bc8", a -> a.floatsToInts(1, 16)),
                instruction("vpandd %zmm9,%zmm22,%zmm6", "62d14d40dbf1", a -> a.and(6, 22, 9)),
                instruction("vpxord %zmm20,%zmm20,%zmm20", "62a15d40efe4", a -> a.zero(20)),
                instruction("vpaddd %zmm1,%zmm0,%zmm0", "62f17d48fec1", a -> a.addInts(0, 0, 1)),
                instruction("vpsubd %zmm0,%zmm20,%zmm0", "62f15d40fac0", a -> a.subtractInts(0, 20, 0)),
                instruction("vpsrld $4,%zmm1,%zmm5", "62f1554872d104", a -> a.shiftRight(5, 1, 4)),
                instruction("vpsrld $4,%zmm17,%zmm21", "62b1554072d104", a -> a.shiftRight(21, 17, 4)),
                instruction("vpslld $7,%zmm25,%zmm0", "62917d4872f107", a -> a.shiftLeft(0, 25, 7)),
                instruction(
                        "vshuff32x4 $0x4E,%zmm18,%zmm18,%zmm3", "62b36d4023da4e", a -> a.shuffleQuarters(3, 18, 0x4E)),
                instruction("vpermilps $0xB1,%zmm2,%zmm19", "62e37d4804dab1", a -> a.shuffleLanes(19, 2, 0xB1)),
                instruction("vzeroupper; ret", "c5f877c3", a -> a.returnFromVectorCode()));
    }

    private static Arguments instruction(String text, String expected, Consumer<X86Assembler> emit) {
        return arguments(text, expected, emit);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("instructions")
    void encodesAsAnotherAssemblerDoes(String text, String expected, Consumer<X86Assembler> emit) {
        X86Assembler assembler = new X86Assembler();
        emit.accept(assembler);
        assertThat(HexFormat.of().formatHex(assembler.bytes())).isEqualTo(expected);
    }

    @Test
    void jumpsBackToAPlace() {
        X86Assembler assembler = new X86Assembler();
        int place = assembler.here();
        assembler.decrement(R8);
        assembler.jumpIfNotZero(place);
        assertThat(HexFormat.of().formatHex(assembler.bytes())).isEqualTo("49ffc8" + "0f85f7ffffff");
    }
}
