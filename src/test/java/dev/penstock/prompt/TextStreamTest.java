package dev.penstock.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextStreamTest {
    @Test
    void aCharacterIsHeldBackUntilItIsWhole() {
        TextStream stream =
                new TextStream(new Pieces(bytes(0xF0, 0x9F), bytes(0x98), bytes(0x80, 'x')), List.of(), 0, Set.of());
        assertThat(stream.push(0)).isEmpty();
        assertThat(stream.push(1)).isEmpty();
        assertThat(stream.push(2)).isEqualTo("😀x");
        assertThat(stream.finish()).isEmpty();
    }

    @Test
    void invalidBytesBecomeReplacementCharactersAsSoonAsTheyAreKnown() {
        TextStream stream = new TextStream(
                new Pieces(bytes(0xFF), bytes(0xE2, 0x82), bytes('a'), bytes(0xED), bytes(0xA0), bytes(0xC0)),
                List.of(),
                0,
                Set.of());
        assertThat(stream.push(0)).isEqualTo("\uFFFD");
        assertThat(stream.push(1)).isEmpty();
        assertThat(stream.push(2)).isEqualTo("\uFFFDa");
        assertThat(stream.push(3)).isEmpty();
        assertThat(stream.push(4)).isEqualTo("\uFFFD\uFFFD");
        assertThat(stream.push(5)).isEqualTo("\uFFFD");
    }

    @Test
    void anIncompleteCharacterAtTheEndBecomesAReplacementCharacter() {
        TextStream stream = new TextStream(new Pieces(bytes('a', 0xE2, 0x82)), List.of(), 0, Set.of());
        assertThat(stream.push(0)).isEqualTo("a");
        assertThat(stream.finish()).isEqualTo("\uFFFD");
        assertThat(stream.stopSequence()).isNull();
    }

    @Test
    void whatMayBeginAStopStringIsHeldBackAndComesWhenItIsNone() {
        TextStream stream =
                new TextStream(pieces("one <", "|en", "d|x", "> <|", "end|>", "late"), List.of("<|end|>"), 0, Set.of());
        assertThat(stream.push(0)).isEqualTo("one ");
        assertThat(stream.push(1)).isEmpty();
        assertThat(stream.push(2)).isEqualTo("<|end|x");
        assertThat(stream.push(3)).isEqualTo("> ");
        assertThat(stream.push(4)).isEmpty();
        assertThat(stream.stopSequence()).isEqualTo("<|end|>");
        assertThat(stream.push(5)).isEmpty();
        assertThat(stream.finish()).isEmpty();
    }

    @Test
    void whatIsHeldBackComesAtTheEnd() {
        TextStream stream = new TextStream(pieces("ab"), List.of("bc"), 0, Set.of());
        assertThat(stream.push(0)).isEqualTo("a");
        assertThat(stream.finish()).isEqualTo("b");
    }

    @Test
    void textBeforeAStopStringInTheSameTokenIsKept() {
        TextStream stream = new TextStream(pieces("yes\n\nno\n\n"), List.of("\n\n"), 0, Set.of());
        assertThat(stream.push(0)).isEqualTo("yes");
        assertThat(stream.stopSequence()).isEqualTo("\n\n");
    }

    @Test
    void theStopStringThatEndsFirstWinsAndOfThoseTheLongest() {
        TextStream first = new TextStream(pieces("xabcd"), List.of("abcd", "bc"), 0, Set.of());
        assertThat(first.push(0)).isEqualTo("xa");
        assertThat(first.stopSequence()).isEqualTo("bc");
        TextStream longest = new TextStream(pieces("xabc"), List.of("bc", "abc", "c"), 0, Set.of());
        assertThat(longest.push(0)).isEqualTo("x");
        assertThat(longest.stopSequence()).isEqualTo("abc");
    }

    @Test
    void aStopStringThatEndsWithinTheLeastTokensIsTextAndOneThatOnlyBeginsThereCounts() {
        TextStream stream = new TextStream(pieces("END.", "..E", "ND.", "END"), List.of("END", "....."), 2, Set.of());
        assertThat(stream.push(0)).isEqualTo("END");
        assertThat(stream.push(1)).isEqualTo("...");
        assertThat(stream.push(2)).isEmpty();
        assertThat(stream.stopSequence()).isEqualTo("END");
        assertThat(stream.push(3) + stream.finish()).isEmpty();
    }

    @Test
    void aStopStringThatWasPassedOverMayOverlapOneThatCounts() {
        TextStream stream = new TextStream(pieces("xaa", "a", "b"), List.of("aa"), 1, Set.of());
        assertThat(stream.push(0)).isEqualTo("xa");
        assertThat(stream.push(1)).isEmpty();
        assertThat(stream.stopSequence()).isEqualTo("aa");
    }

    @Test
    void specialTokensAreNoText() {
        Pieces tokenizer = new Pieces(bytes(0xC3), "<|eot|>".getBytes(StandardCharsets.UTF_8), bytes(0xA9));
        tokenizer.special = 1;
        TextStream stream = new TextStream(tokenizer, List.of("<|eot|>"), 0, Set.of());
        assertThat(stream.push(0) + stream.push(1) + stream.push(2)).isEqualTo("é");
    }

    @Test
    void shownSpecialTokensAreTextByTheirNames() {
        Pieces tokenizer = pieces("a", "[CALL]", "b");
        tokenizer.special = 1;
        TextStream shows = new TextStream(tokenizer, List.of(), 0, Set.of(1));
        assertThat(shows.push(0) + shows.push(1) + shows.push(2)).isEqualTo("a[CALL]b");
        TextStream stops = new TextStream(tokenizer, List.of("CALL"), 0, Set.of(1));
        assertThat(stops.push(0) + stops.push(1) + stops.push(2)).isEqualTo("a[");
        assertThat(stops.stopSequence()).isEqualTo("CALL");
        TextStream hides = new TextStream(tokenizer, List.of(), 0, Set.of(0, 2));
        assertThat(hides.push(0) + hides.push(1) + hides.push(2)).isEqualTo("ab");
    }

    @Test
    void aStopStringOfHalfACharacterNeverCutsOne() {
        TextStream stream = new TextStream(pieces("a😀b"), List.of("\uDE00", "\uD83D"), 0, Set.of());
        assertThat(stream.push(0)).isEqualTo("a😀b");
    }

    @Test
    void anEmptyStopStringIsRefused() {
        assertThatThrownBy(() -> new TextStream(pieces("a"), List.of(""), 0, Set.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("stop string");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void anyBytesInAnyCutGiveWhatANaiveReadingOfTheWholeGives(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 400; round++) {
            byte[] all = randomBytes(random);
            List<String> stops = new ArrayList<>();
            String whole = naiveDecode(all);
            for (int n = random.nextInt(5); n > 0; n--) {
                stops.add(randomStop(random, whole));
            }
            List<byte[]> cut = new ArrayList<>();
            for (int at = 0; at < all.length; ) {
                int to = Math.min(all.length, at + random.nextInt(5));
                cut.add(Arrays.copyOfRange(all, at, to));
                at = to;
            }
            int minTokens = random.nextBoolean() ? 0 : random.nextInt(cut.size() + 2);
            TextStream stream = new TextStream(new Pieces(cut.toArray(byte[][]::new)), stops, minTokens, Set.of());
            StringBuilder text = new StringBuilder();
            ByteArrayOutputStream seen = new ByteArrayOutputStream();
            for (int i = 0; i < cut.size(); i++) {
                text.append(stream.push(i));
                seen.writeBytes(cut.get(i));
                if (stream.stopSequence() == null) {
                    String safe = naiveSafe(naiveDecodeComplete(seen.toByteArray()), stops);
                    assertThat(text.toString()).as("stops %s", stops).isEqualTo(safe);
                }
            }
            text.append(stream.finish());

            int exempt = minTokens >= cut.size()
                    ? whole.length()
                    : naiveDecodeComplete(concatenated(cut.subList(0, minTokens)))
                            .length();
            String stop = naiveStop(whole, stops, exempt);
            assertThat(stream.stopSequence()).isEqualTo(stop);
            assertThat(text.toString())
                    .isEqualTo(stop == null ? whole : whole.substring(0, naiveStart(whole, stops, exempt)));
        }
    }

    @Test
    void aMegabyteThatKeepsAlmostMatchingIsReadInLinearTime() {
        // A quadratic reading would take about 10^11 comparisons here and end the test by its own length.
        String stop = "a".repeat(300_000) + "b";
        int count = 1_000_000;
        TextStream stream =
                new TextStream(pieces("a"), List.of(stop, stop + "c", "a".repeat(299_999) + "c", "b"), 0, Set.of());
        int length = 0;
        for (int i = 0; i < count; i++) {
            length += stream.push(0).length();
        }
        assertThat(length).isEqualTo(count - 300_000);
        assertThat(length + stream.finish().length()).isEqualTo(count);
    }

    private static byte[] randomBytes(Random random) {
        String alphabet = "aaabbc \n<|é€😀😃𐍈\uFFFD";
        int[] points = alphabet.codePoints().toArray();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int n = random.nextInt(40); n > 0; n--) {
            if (random.nextInt(8) == 0) {
                int[] odd = {0x80, 0xBF, 0xC0, 0xC3, 0xE0, 0xE2, 0xED, 0xA0, 0xF0, 0x9F, 0xF4, 0x90, 0xF5, 0xFF, 0x82};
                out.write(odd[random.nextInt(odd.length)]);
            } else {
                out.writeBytes(Character.toString(points[random.nextInt(points.length)])
                        .getBytes(StandardCharsets.UTF_8));
            }
        }
        return out.toByteArray();
    }

    private static String randomStop(Random random, String whole) {
        int[] points = whole.codePoints().toArray();
        if (points.length > 0 && random.nextBoolean()) {
            int from = random.nextInt(points.length);
            return new String(points, from, 1 + random.nextInt(Math.min(6, points.length - from)));
        }
        StringBuilder stop = new StringBuilder();
        for (int n = 1 + random.nextInt(4); n > 0; n--) {
            stop.append("aab".charAt(random.nextInt(3)));
        }
        return stop.toString();
    }

    /** The whole as text, by trying which of the next bytes are a character or the beginning of one. */
    private static String naiveDecode(byte[] all) {
        StringBuilder text = new StringBuilder();
        int at = 0;
        while (at < all.length) {
            int length = characterLength(all, at);
            if (length > 0) {
                text.append(new String(all, at, length, StandardCharsets.UTF_8));
            } else {
                length = Math.max(1, beginningLength(all, at));
                text.append('\uFFFD');
            }
            at += length;
        }
        return text.toString();
    }

    /** Like {@link #naiveDecode}, without a character at the end that more bytes could complete. */
    private static String naiveDecodeComplete(byte[] all) {
        int at = 0;
        while (at < all.length) {
            int length = characterLength(all, at);
            int beginning = beginningLength(all, at);
            if (length == 0 && beginning > 0 && at + beginning == all.length) {
                return naiveDecode(Arrays.copyOf(all, at));
            }
            at += Math.max(1, length == 0 ? beginning : length);
        }
        return naiveDecode(all);
    }

    private static int characterLength(byte[] all, int at) {
        for (int length = 1; length <= 4 && at + length <= all.length; length++) {
            if (isCharacter(Arrays.copyOfRange(all, at, at + length))) {
                return length;
            }
        }
        return 0;
    }

    /** Most bytes from there that some character begins with. */
    private static int beginningLength(byte[] all, int at) {
        for (int length = Math.min(3, all.length - at); length > 0; length--) {
            byte[] part = Arrays.copyOfRange(all, at, at + length);
            for (int whole = length + 1; whole <= 4; whole++) {
                byte[] low = Arrays.copyOf(part, whole);
                byte[] high = Arrays.copyOf(part, whole);
                Arrays.fill(low, length, whole, (byte) 0x80);
                Arrays.fill(high, length, whole, (byte) 0xBF);
                if (isCharacter(low) || isCharacter(high)) {
                    return length;
                }
            }
        }
        return 0;
    }

    private static boolean isCharacter(byte[] utf8) {
        CharBuffer out = CharBuffer.allocate(4);
        boolean valid = !StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(utf8), out, true)
                .isError();
        return valid && Character.codePointCount(out.array(), 0, out.position()) == 1;
    }

    /** The stop string that ends first, in the part of the text from {@code exempt} on. */
    private static @Nullable String naiveStop(String text, List<String> stops, int exempt) {
        for (int end = exempt + 1; end <= text.length(); end++) {
            String best = null;
            for (String stop : stops) {
                if (text.substring(0, end).endsWith(stop) && (best == null || stop.length() > best.length())) {
                    best = stop;
                }
            }
            if (best != null) {
                return best;
            }
        }
        return null;
    }

    private static int naiveStart(String text, List<String> stops, int exempt) {
        for (int end = exempt + 1; end <= text.length(); end++) {
            int start = end;
            for (String stop : stops) {
                if (text.substring(0, end).endsWith(stop)) {
                    start = Math.min(start, end - stop.length());
                }
            }
            if (start < end) {
                return start;
            }
        }
        return text.length();
    }

    /** The text without its longest end that a stop string begins with and goes on after. */
    private static String naiveSafe(String text, List<String> stops) {
        for (int from = 0; from < text.length(); from++) {
            String rest = text.substring(from);
            if (stops.stream().anyMatch(s -> s.startsWith(rest) && s.length() > rest.length())) {
                return text.substring(0, from);
            }
        }
        return text;
    }

    private static byte[] concatenated(List<byte[]> pieces) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        pieces.forEach(all::writeBytes);
        return all.toByteArray();
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    private static Pieces pieces(String... texts) {
        return new Pieces(Arrays.stream(texts)
                .map(t -> t.getBytes(StandardCharsets.UTF_8))
                .toArray(byte[][]::new));
    }

    /** A vocabulary of given bytes, token i being the i-th. */
    private static final class Pieces implements Tokenizer {
        private final byte[][] pieces;
        private int special = Integer.MAX_VALUE;

        Pieces(byte[]... pieces) {
            this.pieces = pieces;
        }

        @Override
        public int[] encode(String text, boolean addSpecialTokens) {
            throw new IllegalStateException("not needed");
        }

        @Override
        public String decode(int[] tokens, boolean skipSpecialTokens) {
            throw new IllegalStateException("not needed");
        }

        @Override
        public byte[] bytes(int token) {
            return pieces[token];
        }

        @Override
        public boolean isSpecial(int token) {
            return token == special;
        }

        @Override
        public OptionalInt id(String token) {
            return OptionalInt.empty();
        }

        @Override
        public int vocabSize() {
            return pieces.length;
        }
    }
}
