package dev.penstock.onnx.gemm;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.penstock.onnx.parallel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class PackedGemmTest {
    /** Ordinary threads in place of ONNX Runtime's. */
    private static final Workers TWO_THREADS = new Workers() {
        @Override
        public int count() {
            return 2;
        }

        @Override
        public void run(int tasks, Task task) {
            List<CompletableFuture<Void>> running = new ArrayList<>();
            for (int i = 0; i < tasks; i++) {
                int index = i;
                running.add(CompletableFuture.runAsync(() -> task.run(index)));
            }
            running.forEach(CompletableFuture::join);
        }
    };

    /** Random codes in the order of com.microsoft.MatMulNBits, the numbers that they stand for, and both packed. */
    private static final class Weights {
        final float[][] values;
        final MemorySegment packed;

        Weights(PackedLayout layout, Random random, Arena arena) {
            int blocks = (layout.inputs() + 31) / 32;
            int blockBytes = 32 * layout.bits() / 8;
            byte[] codes = new byte[layout.outputs() * blocks * blockBytes];
            float[] scales = new float[layout.outputs() * blocks];
            values = new float[layout.outputs()][layout.inputs()];
            for (int n = 0; n < layout.outputs(); n++) {
                for (int b = 0; b < blocks; b++) {
                    float scale = Float.float16ToFloat(Float.floatToFloat16(random.nextFloat(-0.1f, 0.1f)));
                    scales[n * blocks + b] = scale;
                    for (int i = 0; i < 32; i++) {
                        int k = 32 * b + i;
                        int code = k < layout.inputs() ? random.nextInt(1 << layout.bits()) : layout.offset();
                        int at = (n * blocks + b) * blockBytes + i * layout.bits() / 8;
                        codes[at] |= (byte) (layout.bits() == 4 ? code << 4 * (i % 2) : code);
                        if (k < layout.inputs()) {
                            values[n][k] = (code - layout.offset()) * scale;
                        }
                    }
                }
            }
            byte[] bytes = new byte[Math.toIntExact(layout.bytes())];
            for (int p = 0; p < layout.panels(); p++) {
                int rows = Math.min(16, layout.outputs() - 16 * p);
                layout.pack(codes, scales, 16 * p, rows, bytes, p * layout.panelBytes());
            }
            packed = arena.allocate(bytes.length, 64).copyFrom(MemorySegment.ofArray(bytes));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, 16, 64",
        "1, 512, 64",
        "3, 344, 172",
        "5, 17, 32",
        "11, 64, 96",
        "12, 48, 160",
        "13, 64, 64",
        "16, 1, 1",
        "16, 2048, 2048",
        "40, 96, 5632",
        "131, 688, 256"
    })
    void productsEqualThoseInDoublePrecisionOverTheSameQuantisedNumbers(int rows, int outputs, int inputs) {
        assumeTrue(PackedGemm.supported(), "needs AVX-512 VNNI");
        for (int bits : new int[] {4, 8}) {
            Random random = new Random(31L * rows + outputs + inputs + bits);
            PackedLayout layout = new PackedLayout(outputs, inputs, bits);
            try (Arena arena = Arena.ofShared();
                    PackedGemm gemm = new PackedGemm()) {
                Weights weights = new Weights(layout, random, arena);
                float[] x = new float[rows * inputs];
                for (int i = 0; i < x.length; i++) {
                    x[i] = (float) random.nextGaussian();
                }
                MemorySegment input = arena.allocateFrom(JAVA_FLOAT, x);
                MemorySegment output = arena.allocate(4L * rows * outputs, 64);
                // Twice, so that what a first product leaves behind would show in the second.
                for (int round = 0; round < 2; round++) {
                    output.fill((byte) -1);
                    gemm.multiply(
                            input.address(), rows, weights.packed.address(), layout, output.address(), TWO_THREADS);
                }
                for (int r = 0; r < rows; r++) {
                    double[] quantised = quantised(x, r * inputs, inputs);
                    for (int n = 0; n < outputs; n++) {
                        double expected = 0;
                        double size = 0;
                        for (int k = 0; k < inputs; k++) {
                            expected += quantised[k] * weights.values[n][k];
                            size += Math.abs(quantised[k] * weights.values[n][k]);
                        }
                        float found = output.getAtIndex(JAVA_FLOAT, (long) r * outputs + n);
                        assertThat(Math.abs(found - expected))
                                .as("row %d, output %d at %d bits", r, n, bits)
                                .isLessThan(1e-5 * size + 1e-7);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 16, 64", "1, 2048, 64", "3, 344, 172", "13, 17, 32", "131, 688, 256"})
    void gatedProductsEqualBothProductsJoinedInDoublePrecision(int rows, int outputs, int inputs) {
        assumeTrue(PackedGemm.supported(), "needs AVX-512 VNNI");
        for (int bits : new int[] {4, 8}) {
            Random random = new Random(17L * rows + outputs + inputs + bits);
            PackedLayout layout = new PackedLayout(outputs, inputs, bits);
            try (Arena arena = Arena.ofShared();
                    PackedGemm gemm = new PackedGemm()) {
                MemorySegment gate = new Weights(layout, random, arena).packed;
                MemorySegment up = new Weights(layout, random, arena).packed;
                MemorySegment both = arena.allocate(2 * layout.bytes(), 64);
                for (int p = 0; p < layout.panels(); p++) {
                    long bytes = layout.panelBytes();
                    MemorySegment.copy(gate, p * bytes, both, 2 * p * bytes, bytes);
                    MemorySegment.copy(up, p * bytes, both, (2 * p + 1) * bytes, bytes);
                }
                float[] x = new float[rows * inputs];
                for (int i = 0; i < x.length; i++) {
                    x[i] = (float) random.nextGaussian();
                }
                long input = arena.allocateFrom(JAVA_FLOAT, x).address();
                MemorySegment gates = arena.allocate(4L * rows * outputs, 64);
                MemorySegment ups = arena.allocate(4L * rows * outputs, 64);
                gemm.multiply(input, rows, gate.address(), layout, gates.address(), TWO_THREADS);
                gemm.multiply(input, rows, up.address(), layout, ups.address(), TWO_THREADS);
                for (Activation activation : Activation.values()) {
                    MemorySegment output = arena.allocate(4L * rows * outputs, 64);
                    output.fill((byte) -1);
                    gemm.multiplyGated(input, rows, both.address(), layout, activation, output.address(), TWO_THREADS);
                    for (long i = 0; i < (long) rows * outputs; i++) {
                        double expected =
                                activate(activation, gates.getAtIndex(JAVA_FLOAT, i)) * ups.getAtIndex(JAVA_FLOAT, i);
                        assertThat((double) output.getAtIndex(JAVA_FLOAT, i))
                                .as("%s of number %d at %d bits", activation, i, bits)
                                .isCloseTo(expected, within(4e-6 * Math.abs(expected) + 1e-9));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void gatesOfAllMagnitudesAreExactToAFewRoundings(Activation activation) {
        assumeTrue(PackedGemm.supported(), "needs AVX-512 VNNI");
        float[] gates = {0f, -0f, 1e-30f, -1e-30f, 0.3f, -0.3f, 1f, -1f, 5f, -5f, 20f, -20f, 88f, -88f, 1e5f, -1e5f};
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment gate = arena.allocateFrom(JAVA_FLOAT, gates);
            MemorySegment up = arena.allocate(64)
                    .copyFrom(MemorySegment.ofArray(new float[] {2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2}));
            MemorySegment output = arena.allocate(64);
            VnniKernels.gate(activation, gate.address(), up.address(), output.address(), 64, 1);
            for (int i = 0; i < gates.length; i++) {
                double expected = 2 * activate(activation, gates[i]);
                assertThat((double) output.getAtIndex(JAVA_FLOAT, i))
                        .as("of %s", gates[i])
                        .isCloseTo(expected, within(4e-6 * Math.abs(expected) + 1e-30));
            }
        }
    }

    private static double activate(Activation activation, double x) {
        return switch (activation) {
            case SILU -> x / (1 + Math.exp(-x));
            case GELU_TANH -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
        };
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void rowsAreReadBackAsTheNumbersThatTheyStandFor(int bits) {
        PackedLayout layout = new PackedLayout(37, 172, bits);
        try (Arena arena = Arena.ofConfined()) {
            Weights weights = new Weights(layout, new Random(bits), arena);
            MemorySegment row = arena.allocate(JAVA_FLOAT, 172);
            for (int n = 0; n < 37; n++) {
                PackedRows.read(weights.packed, layout, n, row, 0);
                assertThat(row.toArray(JAVA_FLOAT)).containsExactly(weights.values[n]);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {1e6f, Float.POSITIVE_INFINITY, Float.NaN})
    void aScaleThatSixteenBitsCantHoldIsRefused(float scale) {
        PackedLayout layout = new PackedLayout(1, 32, 4);
        assertThatThrownBy(() -> layout.pack(new byte[16], new float[] {scale}, 0, 1, new byte[layout.panelBytes()], 0))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContaining("16 bits");
    }

    /** What the kernel makes of a row: in each block multiples of a 127th of the largest magnitude. */
    private static double[] quantised(float[] x, int start, int count) {
        double[] result = new double[count];
        for (int first = 0; first < count; first += 32) {
            int end = Math.min(first + 32, count);
            float max = 0;
            for (int k = first; k < end; k++) {
                max = Math.max(max, Math.abs(x[start + k]));
            }
            float scale = max * (1f / 127);
            for (int k = first; k < end; k++) {
                result[k] = Math.rint(x[start + k] * (127f / max)) * scale;
            }
        }
        return result;
    }
}
