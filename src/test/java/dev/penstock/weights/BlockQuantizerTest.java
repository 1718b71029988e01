package dev.penstock.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class BlockQuantizerTest {
    private static final int ROWS = 37;

    @ParameterizedTest
    @ValueSource(ints = {32, 20, 172, 512})
    void noBlockIsFartherOffAfterASearchAndAllTogetherAreNearerByATenth(int columns) {
        float[] values = gaussian(ROWS * columns);
        double[] nearest = blockErrors(values, columns, Rounding.NEAREST);
        double[] searched = blockErrors(values, columns, Rounding.SEARCH);
        for (int b = 0; b < nearest.length; b++) {
            assertThat(searched[b]).isLessThanOrEqualTo(nearest[b] * (1 + 1e-5) + 1e-12);
        }
        // Blocks of fewer numbers have less to fit.
        double bound = columns < BlockQuantizer.BLOCK ? 0.95 : 0.92;
        assertThat(sum(searched)).isLessThan(bound * sum(nearest));
    }

    @Test
    void theScaleFoundIsTheBestForItsCodes() {
        int columns = 64;
        float[] values = gaussian(ROWS * columns);
        float[] scales = new float[ROWS * 2];
        byte[] codes = codes(values, columns, Rounding.SEARCH, scales);
        for (int b = 0; b < scales.length; b++) {
            double error = error(values, columns, codes, b, scales[b]);
            assertThat(error).isLessThan(error(values, columns, codes, b, scales[b] * 1.001f));
            assertThat(error).isLessThan(error(values, columns, codes, b, scales[b] * 0.999f));
        }
    }

    @ParameterizedTest
    @EnumSource
    void zerosStayZerosAndOutliersSurvive(Rounding rounding) {
        float[] values = new float[64];
        values[40] = -3;
        float[] scales = new float[2];
        byte[] codes = codes(values, 64, rounding, scales);
        double error = error(values, 64, codes, 0, scales[0]) + error(values, 64, codes, 1, scales[1]);
        assertThat(error).isLessThan(1e-10);
    }

    @ParameterizedTest
    @EnumSource
    void whatIsNotFiniteIsNoticed(Rounding rounding) {
        for (float wrong : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            float[] values = gaussian(ROWS * 40);
            values[values.length - 1] = wrong;
            assertThat(new BlockQuantizer(4, rounding)
                            .quantize(values, ROWS, 40, new byte[ROWS * 2 * 16], new float[ROWS * 2]))
                    .isFalse();
        }
    }

    @Test
    void eightBitsAreNotSearched() {
        assertThatThrownBy(() -> new BlockQuantizer(8, Rounding.SEARCH)).isInstanceOf(IllegalArgumentException.class);
    }

    private static double[] blockErrors(float[] values, int columns, Rounding rounding) {
        float[] scales = new float[ROWS * BlockQuantizer.blocks(columns)];
        byte[] codes = codes(values, columns, rounding, scales);
        return IntStream.range(0, scales.length)
                .mapToDouble(b -> error(values, columns, codes, b, scales[b]))
                .toArray();
    }

    private static byte[] codes(float[] values, int columns, Rounding rounding, float[] scales) {
        byte[] codes = new byte[scales.length * 16];
        boolean finite =
                new BlockQuantizer(4, rounding).quantize(values, values.length / columns, columns, codes, scales);
        assertThat(finite).isTrue();
        return codes;
    }

    /** Squared error of a block whose codes are read as MatMulNBits does. */
    private static double error(float[] values, int columns, byte[] codes, int block, float scale) {
        int blocks = BlockQuantizer.blocks(columns);
        int first = block % blocks * 32;
        double sum = 0;
        for (int i = 0; i < Math.min(32, columns - first); i++) {
            int code = codes[block * 16 + i / 2] >> 4 * (i % 2) & 15;
            sum += Math.pow(values[block / blocks * columns + first + i] - (code - 8) * (double) scale, 2);
        }
        return sum;
    }

    private static double sum(double[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).sum();
    }

    private static float[] gaussian(int count) {
        Random random = new Random(count);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
