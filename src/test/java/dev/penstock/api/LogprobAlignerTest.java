package dev.penstock.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.model.TokenLogprob;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogprobAlignerTest {
    private static final String TEXT = "Grüße aus Łódź, 你好 🙂🙃 and on, until the END of it";

    /** Cuts the bytes of a text anywhere, within characters too. */
    private static List<TokenLogprob> tokens(byte[] bytes, Random random) {
        List<TokenLogprob> tokens = new ArrayList<>();
        int begin = 0;
        while (begin < bytes.length) {
            int end = Math.min(bytes.length, begin + 1 + random.nextInt(5));
            byte[] piece = Arrays.copyOfRange(bytes, begin, end);
            tokens.add(new TokenLogprob('t', new String(piece, StandardCharsets.UTF_8), piece, -1, List.of()));
            if (random.nextInt(4) == 0) {
                byte[] name = "<s>".getBytes(StandardCharsets.UTF_8);
                tokens.add(new TokenLogprob(ByteTokenizer.BEGIN, "<s>", name, -1, List.of()));
            }
            begin = end;
        }
        return tokens;
    }

    private static byte[] concatenated(List<TokenLogprob> tokens) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        tokens.forEach(token -> bytes.writeBytes(token.bytes()));
        return bytes.toByteArray();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
    void tokensConcatenateToTheTextHoweverItIsCut(long seed) {
        Random random = new Random(seed);
        boolean cut = random.nextBoolean();
        String text = cut ? TEXT.substring(0, TEXT.indexOf("END")) : TEXT;
        List<TokenLogprob> tokens = tokens(TEXT.getBytes(StandardCharsets.UTF_8), random);
        LogprobAligner aligner = new LogprobAligner(new ByteTokenizer());
        List<TokenLogprob> out = new ArrayList<>();

        StringBuilder given = new StringBuilder();
        int textAt = 0;
        for (TokenLogprob token : tokens) {
            int end = Math.min(text.length(), textAt + random.nextInt(4));
            if (end < text.length() && Character.isLowSurrogate(text.charAt(end))) {
                end++;
            }
            String piece = text.substring(textAt, end);
            textAt = end;
            given.append(piece);
            out.addAll(aligner.push(piece, List.of(token)));
            byte[] covered = concatenated(out);
            assertThat(Arrays.mismatch(given.toString().getBytes(StandardCharsets.UTF_8), covered))
                    .isIn(-1, covered.length);
        }
        out.addAll(aligner.push(text.substring(textAt), List.of()));
        out.addAll(aligner.finish(cut));

        assertThat(new String(concatenated(out), StandardCharsets.UTF_8)).isEqualTo(text);
        assertThat(out).noneMatch(token -> token.token() == ByteTokenizer.BEGIN);
    }
}
