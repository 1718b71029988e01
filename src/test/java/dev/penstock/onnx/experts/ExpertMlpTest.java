package dev.penstock.onnx.experts;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.penstock.onnx.experts.ExpertMatrices.Kind;
import dev.penstock.onnx.gemm.PackedGemm;
import dev.penstock.onnx.gemm.PackedLayout;
import dev.penstock.onnx.parallel.SpinPool;
import dev.penstock.onnx.parallel.Workers;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ExpertMlpTest {
    private static final ExpertConfig MIXTRAL = new ExpertConfig(8, 2, true, false, 64, 96);

    private static final Workers ALONE = new Workers() {
        @Override
        public int count() {
            return 1;
        }

        @Override
        public void run(int tasks, Task task) {
            for (int i = 0; i < tasks; i++) {
                task.run(i);
            }
        }
    };

    @TempDir
    Path temp;

    static Stream<ExpertConfig> configs() {
        return Stream.of(
                MIXTRAL,
                new ExpertConfig(8, 2, false, true, 64, 96), // Grok's kind
                new ExpertConfig(5, 3, true, true, 40, 52),
                new ExpertConfig(3, 1, false, false, 33, 7),
                new ExpertConfig(1, 1, true, false, 16, 130));
    }

    @ParameterizedTest
    @MethodSource("configs")
    void sumsOfFloatWeightsAreThoseOfPlainLoops(ExpertConfig config) {
        for (int tokens : new int[] {1, 2, 7, 300}) {
            try (Case c = new Case(config, tokens, 31);
                    SpinPool pool = new SpinPool(2, "experts-test")) {
                assertThat(c.greatestDifference(c.floatMatrices(), pool)).isLessThan(1e-4);
                assertThat(c.greatestDifference(c.floatMatrices(), ALONE)).isLessThan(1e-4);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"4", "8"})
    void sumsOfBlocksAreThoseOfTheNumbersThatTheCodesStandFor(int bits) {
        configs().forEach(config -> {
            for (int tokens : new int[] {1, 6, 150}) {
                try (Case c = new Case(config, tokens, 32);
                        SpinPool pool = new SpinPool(2, "experts-test")) {
                    assertThat(c.greatestDifference(c.blockMatrices(bits), pool))
                            .isLessThan(1e-4);
                }
            }
        });
    }

    @ParameterizedTest
    @CsvSource({"4", "8"})
    void sumsOfPackedWeightsAreNearThoseOfTheNumbersThatTheCodesStandFor(int bits) {
        Assumptions.assumeTrue(PackedGemm.supported());
        for (ExpertConfig config : List.of(MIXTRAL, new ExpertConfig(4, 2, false, true, 48, 208))) {
            for (int tokens : new int[] {1, 6, 150}) {
                try (Case c = new Case(config, tokens, 33);
                        PackedGemm gemm = new PackedGemm();
                        SpinPool pool = new SpinPool(2, "experts-test")) {
                    // Activations are rounded to bytes too.
                    assertThat(c.greatestDifference(c.packedMatrices(bits, gemm), pool))
                            .isLessThan(0.05);
                }
            }
        }
    }

    @Test
    void oneTokenMultipliesByItsTwoExpertsOnly() {
        try (Case c = new Case(MIXTRAL, 1, 34)) {
            ExpertMatrices floats = c.floatMatrices();
            Set<Integer> read = new HashSet<>();
            int[] products = new int[1];
            c.run(
                    (kind, expert, input, rows, output, workers) -> {
                        read.add(expert);
                        products[0]++;
                        floats.multiply(kind, expert, input, rows, output, workers);
                    },
                    ALONE);
            assertThat(read).isEqualTo(c.chosenByAnyToken()).hasSize(2);
            assertThat(products[0]).isEqualTo(2 * Kind.values().length);
        }
    }

    @Test
    void weightsOfExpertsThatNobodyChoseLeaveNoTraceWhateverTheyAre() {
        try (Case c = new Case(MIXTRAL, 2, 35)) {
            double[][] expected = c.expected();
            Set<Integer> chosen = c.chosenByAnyToken();
            for (int e = 0; e < 8; e++) {
                if (!chosen.contains(e)) {
                    c.poison(e);
                }
            }
            assertThat(c.difference(expected, c.run(c.floatMatrices(), ALONE))).isLessThan(1e-4);
        }
    }

    /** What the system mapped in of a file of weights, by /proc/self/smaps: it maps 64 KiB around a page at most. */
    @Test
    void aQuarterOfTheWeightsIsReadForOneTokenOfEightExperts() throws IOException {
        Assumptions.assumeTrue(Files.isReadable(Path.of("/proc/self/smaps")));
        ExpertConfig config = new ExpertConfig(8, 2, true, false, 512, 1024);
        long matrix = 4L * config.hidden() * config.inner();
        Path file = temp.resolve("weights");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(1), 3 * 8 * matrix - 1);
        }
        try (Arena arena = Arena.ofConfined();
                ExpertMlp mlp = new ExpertMlp();
                FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            MemorySegment weights = channel.map(FileChannel.MapMode.READ_ONLY, 0, 3 * 8 * matrix, arena);
            long at = weights.address();
            FloatMatrices matrices = new FloatMatrices(config, at, at + 8 * matrix, at + 16 * matrix);
            MemorySegment x = arena.allocate(4L * config.hidden(), 64);
            MemorySegment logits = arena.allocateFrom(JAVA_FLOAT, 0, 1, 9, 2, 3, 8, 4, 5);
            MemorySegment output = arena.allocate(4L * config.hidden(), 64);
            assertThat(residentBytes(at)).isZero();
            mlp.run(config, matrices, x.address(), logits.address(), 1, output.address(), ALONE);
            assertThat(residentBytes(at) / (3.0 * 8 * matrix)).isCloseTo(2 / 8.0, within(0.02));
        }
    }

    private static long residentBytes(long address) throws IOException {
        String start = Long.toHexString(address) + "-";
        List<String> lines = Files.readAllLines(Path.of("/proc/self/smaps"));
        int mapping = IntStream.range(0, lines.size())
                .filter(i -> lines.get(i).startsWith(start))
                .findFirst()
                .orElseThrow();
        String resident = lines.subList(mapping, lines.size()).stream()
                .filter(l -> l.startsWith("Rss:"))
                .findFirst()
                .orElseThrow();
        return 1024 * Long.parseLong(resident.replaceAll("[^0-9]", ""));
    }

    @Test
    void equalLogitsGoToTheLowerExpert() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment logits = arena.allocateFrom(JAVA_FLOAT, 1, 2, 2, 2, 0, 0, 0, 0);
            ExpertRouting routing = new ExpertRouting(new ExpertConfig(4, 2, true, false, 1, 1));
            routing.route(logits.address(), 2);
            assertThat(IntStream.rangeClosed(0, 4).map(routing::start)).containsExactly(0, 1, 3, 4, 4);
            assertThat(IntStream.range(0, 4).map(routing::token)).containsExactly(1, 0, 1, 0);
            assertThat(routing.weight(0)).isEqualTo(0.5f);
        }
    }

    @Test
    void configThatMakesNoSenseIsRefused() {
        assertThatThrownBy(() -> new ExpertConfig(2, 3, true, false, 8, 8))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("3 of 2 experts");
        assertThatThrownBy(() -> new ExpertConfig(2, 0, true, false, 8, 8))
                .isInstanceOf(IllegalArgumentException.class);
    }

    /** Random weights and inputs, and what plain loops in 64-bit floats make of them. */
    private static final class Case implements AutoCloseable {
        final ExpertConfig config;
        final int tokens;
        final Arena arena = Arena.ofShared();
        final ExpertMlp mlp = new ExpertMlp();
        final MemorySegment x;
        final MemorySegment logits;
        final MemorySegment[] matrices = new MemorySegment[3];

        Case(ExpertConfig config, int tokens, long seed) {
            this.config = config;
            this.tokens = tokens;
            Random random = new Random(seed + tokens);
            x = gaussian(random, tokens * config.hidden(), 1);
            logits = gaussian(random, tokens * config.experts(), 1);
            int size = config.experts() * config.inner() * config.hidden();
            for (Kind kind : Kind.values()) {
                matrices[kind.ordinal()] = gaussian(random, size, 1 / Math.sqrt(columns(kind)));
            }
        }

        int columns(Kind kind) {
            return kind == Kind.DOWN ? config.inner() : config.hidden();
        }

        int rows(Kind kind) {
            return config.experts() * (kind == Kind.DOWN ? config.hidden() : config.inner());
        }

        MemorySegment gaussian(Random random, int count, double deviation) {
            MemorySegment numbers = arena.allocate(4L * count, 64);
            for (int i = 0; i < count; i++) {
                numbers.setAtIndex(JAVA_FLOAT, i, (float) (random.nextGaussian() * deviation));
            }
            return numbers;
        }

        void poison(int expert) {
            int size = config.inner() * config.hidden();
            for (MemorySegment matrix : matrices) {
                for (int i = expert * size; i < (expert + 1) * size; i++) {
                    matrix.setAtIndex(JAVA_FLOAT, i, Float.NaN);
                }
            }
        }

        ExpertMatrices floatMatrices() {
            return new FloatMatrices(config, matrices[0].address(), matrices[1].address(), matrices[2].address());
        }

        /** Codes in the order of com.microsoft.MatMulNBits; the matrices become what the codes stand for. */
        private Codes codes(Kind kind, int bits) {
            int columns = columns(kind);
            int blocks = (columns + 31) / 32;
            Codes codes = new Codes(new byte[rows(kind) * blocks * 4 * bits], new float[rows(kind) * blocks]);
            int zero = 1 << (bits - 1);
            for (int block = 0; block < codes.scales.length; block++) {
                int from = block % blocks * 32;
                int row = block / blocks;
                float scale = Float.float16ToFloat(Float.floatToFloat16((block % 2 == 0 ? 1 : -1) * 0.5f / zero));
                codes.scales[block] = scale;
                for (int i = 0; i < 32; i++) {
                    boolean inside = from + i < columns;
                    long index = (long) row * columns + from + i;
                    float value = inside ? matrices[kind.ordinal()].getAtIndex(JAVA_FLOAT, index) : 0;
                    int code = Math.clamp(Math.round(value / scale) + (long) zero, 0, 2 * zero - 1);
                    codes.codes[block * 4 * bits + i * bits / 8] |= (byte) (bits == 4 ? code << 4 * (i % 2) : code);
                    if (inside) {
                        matrices[kind.ordinal()].setAtIndex(JAVA_FLOAT, index, (code - zero) * scale);
                    }
                }
            }
            return codes;
        }

        private record Codes(byte[] codes, float[] scales) {}

        ExpertMatrices blockMatrices(int bits) {
            BlockMatrices.Blocks[] all = new BlockMatrices.Blocks[3];
            for (Kind kind : Kind.values()) {
                Codes codes = codes(kind, bits);
                all[kind.ordinal()] = new BlockMatrices.Blocks(
                        copy(codes.codes),
                        arena.allocateFrom(JAVA_FLOAT, codes.scales).address());
            }
            return new BlockMatrices(config, bits, all[0], all[1], all[2]);
        }

        ExpertMatrices packedMatrices(int bits, PackedGemm gemm) {
            long[] all = new long[3];
            for (Kind kind : Kind.values()) {
                Codes codes = codes(kind, bits);
                PackedLayout layout = new PackedLayout(rows(kind), columns(kind), bits);
                byte[] panels = new byte[Math.toIntExact(layout.bytes())];
                for (int p = 0; p < layout.panels(); p++) {
                    layout.pack(codes.codes, codes.scales, 16 * p, 16, panels, p * layout.panelBytes());
                }
                all[kind.ordinal()] = copy(panels);
            }
            return new PackedMatrices(config, bits, gemm, all[0], all[1], all[2]);
        }

        private long copy(byte[] bytes) {
            return arena.allocate(bytes.length, 64)
                    .copyFrom(MemorySegment.ofArray(bytes))
                    .address();
        }

        float[][] run(ExpertMatrices from, Workers workers) {
            MemorySegment output = arena.allocate(4L * tokens * config.hidden(), 64);
            output.fill((byte) 0x7f); // room that was used before
            mlp.run(config, from, x.address(), logits.address(), tokens, output.address(), workers);
            float[] all = output.toArray(JAVA_FLOAT);
            float[][] rows = new float[tokens][];
            for (int t = 0; t < tokens; t++) {
                rows[t] = Arrays.copyOfRange(all, t * config.hidden(), (t + 1) * config.hidden());
            }
            return rows;
        }

        double greatestDifference(ExpertMatrices from, Workers workers) {
            return difference(expected(), run(from, workers));
        }

        double difference(double[][] expected, float[][] found) {
            double greatest = 0;
            for (int t = 0; t < tokens; t++) {
                for (int i = 0; i < config.hidden(); i++) {
                    // Written so that NaN is a difference.
                    if (!(Math.abs(expected[t][i] - found[t][i]) <= greatest)) {
                        greatest = Math.abs(expected[t][i] - found[t][i]);
                    }
                }
            }
            return greatest;
        }

        private List<Integer> chosen(int token) {
            return IntStream.range(0, config.experts())
                    .boxed()
                    .sorted((a, b) -> Float.compare(logit(token, b), logit(token, a)))
                    .limit(config.chosen())
                    .toList();
        }

        Set<Integer> chosenByAnyToken() {
            Set<Integer> all = new HashSet<>();
            for (int t = 0; t < tokens; t++) {
                all.addAll(chosen(t));
            }
            return all;
        }

        private float logit(int token, int expert) {
            return logits.getAtIndex(JAVA_FLOAT, (long) token * config.experts() + expert);
        }

        double[][] expected() {
            double[][] sums = new double[tokens][config.hidden()];
            for (int t = 0; t < tokens; t++) {
                int token = t;
                List<Integer> chosen = chosen(t);
                double all = (config.renormalised()
                                ? chosen.stream()
                                : IntStream.range(0, config.experts()).boxed())
                        .mapToDouble(e -> Math.exp(logit(token, e)))
                        .sum();
                double[] row = new double[config.hidden()];
                for (int i = 0; i < row.length; i++) {
                    row[i] = x.getAtIndex(JAVA_FLOAT, (long) t * row.length + i);
                }
                for (int e : chosen) {
                    double[] gate = product(Kind.GATE, e, row);
                    double[] up = product(Kind.UP, e, row);
                    for (int i = 0; i < gate.length; i++) {
                        double g = gate[i];
                        double cubic = Math.sqrt(2 / Math.PI) * (g + 0.044715 * g * g * g);
                        gate[i] = up[i] * (config.gelu() ? 0.5 * g * (1 + Math.tanh(cubic)) : g / (1 + Math.exp(-g)));
                    }
                    double[] y = product(Kind.DOWN, e, gate);
                    for (int i = 0; i < y.length; i++) {
                        sums[t][i] += Math.exp(logit(t, e)) / all * y[i];
                    }
                }
            }
            return sums;
        }

        private double[] product(Kind kind, int expert, double[] vector) {
            double[] result = new double[rows(kind) / config.experts()];
            for (int r = 0; r < result.length; r++) {
                long from = ((long) expert * result.length + r) * vector.length;
                for (int c = 0; c < vector.length; c++) {
                    result[r] += vector[c] * matrices[kind.ordinal()].getAtIndex(JAVA_FLOAT, from + c);
                }
            }
            return result;
        }

        @Override
        public void close() {
            mlp.close();
            arena.close();
        }
    }
}
