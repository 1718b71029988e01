package dev.penstock.prompt.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Utf8Test {
    private static final int[] EDGES = {
        0, 1, 0x7E, 0x7F, 0x80, 0x81, 0x7FE, 0x7FF, 0x800, 0xFFF, 0x1000, 0xD7FF, 0xD800, 0xDFFF, 0xE000, 0xFFFF, 0x10000, 0x3FFFF,
        0x40000, 0xFFFFF, 0x100000, 0x10FFFF
    };

    @Test
    void aRangeMatchesItsCodePointsAndNoOthers() {
        Random random = new Random(1);
        for (int i = 0; i < 40; i++) {
            int a = edgeOrAny(random);
            int b = edgeOrAny(random);
            int lo = Math.min(a, b);
            int hi = Math.max(a, b);
            Regex range = Utf8.range(lo, hi);
            for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
                if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
                    if (RegexParserTest.matches(range, Character.toString(c)) != (c >= lo && c <= hi)) {
                        throw new AssertionError(String.format("U+%X in U+%X to U+%X", c, lo, hi));
                    }
                }
            }
        }
    }

    private static int edgeOrAny(Random random) {
        return random.nextBoolean() ? EDGES[random.nextInt(EDGES.length)] : random.nextInt(0x110000);
    }

    @Test
    void onlyWellFormedBytesMatch() {
        Regex all = Utf8.range(0, Character.MAX_CODE_POINT);
        Random random = new Random(2);
        int wellFormed = 0;
        for (int i = 0; i < 500_000; i++) {
            byte[] bytes = new byte[1 + random.nextInt(4)];
            random.nextBytes(bytes);
            if (random.nextBoolean()) {
                for (int j = 1; j < bytes.length; j++) {
                    bytes[j] = (byte) (0x80 | bytes[j] & 0x3F);
                }
            }
            String text = new String(bytes, StandardCharsets.UTF_8);
            boolean expected = text.codePointCount(0, text.length()) == 1
                    && java.util.Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes);
            wellFormed += expected ? 1 : 0;
            Regex at = all;
            for (byte b : bytes) {
                at = at.derivative(b & 0xFF);
            }
            assertThat(at.isNullable()).isEqualTo(expected);
        }
        assertThat(wellFormed).isGreaterThan(1000);
    }
}
