package dev.penstock.prompt.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.penstock.prompt.TextStream;
import dev.penstock.prompt.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HfTokenizerTest {
    @Test
    void byteLevelTextsAreEncodedWithAndWithoutTheBeginToken() throws IOException {
        try (HfTokenizer tokenizer = byteLevel()) {
            assertThat(tokenizer.encode("hello wo", false)).containsExactly(259, 261);
            assertThat(tokenizer.encode("hello wo", true)).containsExactly(265, 259, 261);
            assertThat(tokenizer.encode("", true)).containsExactly(265);
            assertThat(tokenizer.encode("<|eot_id|>\n\n", false)).containsExactly(266, 264);
            assertThat(tokenizer.vocabSize()).isEqualTo(269);
        }
    }

    @Test
    void textsAreNeitherCutNorFilledUpWhateverTheFileSays() throws IOException {
        try (HfTokenizer tokenizer = byteLevel()) {
            assertThat(tokenizer.encode("x".repeat(1000), false)).hasSize(1000);
            assertThat(tokenizer.encode("x", false)).hasSize(1);
        }
    }

    @Test
    void aByteLevelTokenHasTheBytesThatItStandsFor() throws IOException {
        try (HfTokenizer tokenizer = byteLevel()) {
            for (int b = 0; b < 256; b++) {
                assertThat(tokenizer.bytes(b)).containsExactly(b);
            }
            assertThat(text(tokenizer, 261)).isEqualTo(" wo");
            assertThat(tokenizer.bytes(263)).containsExactly(0xF0, 0x9F);
            assertThat(text(tokenizer, 264)).isEqualTo("\n\n");
        }
    }

    @Test
    void addedTokensStandForTheirNames() throws IOException {
        try (HfTokenizer tokenizer = byteLevel()) {
            assertThat(text(tokenizer, 266)).isEqualTo("<|eot_id|>");
            assertThat(text(tokenizer, 267)).isEqualTo("<tool_call>");
            assertThat(text(tokenizer, 268)).isEqualTo("<| é |>");
            assertThat(tokenizer.isSpecial(266)).isTrue();
            assertThat(tokenizer.isSpecial(267)).isFalse();
            assertThat(tokenizer.isSpecial(5)).isFalse();
            assertThat(tokenizer.isSpecial(-1)).isFalse();
            assertThat(tokenizer.isSpecial(Integer.MAX_VALUE)).isFalse();
        }
    }

    @Test
    void tokensAreFoundByTheirExactNames() throws IOException {
        try (HfTokenizer tokenizer = byteLevel()) {
            assertThat(tokenizer.id("<|eot_id|>")).hasValue(266);
            assertThat(tokenizer.id("Ġwo")).hasValue(261);
            assertThat(tokenizer.id("!")).hasValue('!');
            assertThat(tokenizer.id(" wo")).isEmpty();
            assertThat(tokenizer.id("")).isEmpty();
        }
    }

    @Test
    void idsThatNoTokenHasAreNoText() throws IOException {
        try (HfTokenizer tokenizer = byteLevel()) {
            for (int id : new int[] {-1, 270, 269, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
                assertThat(tokenizer.bytes(id)).isEmpty();
            }
            assertThat(tokenizer.decode(new int[] {-1, 259, 270, 269}, false)).isEqualTo("hello");
        }
    }

    @Test
    void aSentencePieceTokenKeepsItsSpaceAndAByteTokenIsOneByte() throws IOException {
        try (HfTokenizer tokenizer = sentencePiece()) {
            int hello = tokenizer.id("▁hello").orElseThrow();
            assertThat(tokenizer.encode("hello wo", true))
                    .containsExactly(1, hello, tokenizer.id("▁wo").orElseThrow());
            assertThat(text(tokenizer, hello)).isEqualTo(" hello");
            for (int b = 0; b < 256; b++) {
                assertThat(tokenizer.bytes(3 + b)).containsExactly(b);
            }
            assertThat(tokenizer.encode("€", false))
                    .containsExactly(tokenizer.id("▁").orElseThrow(), 3 + 0xE2, 3 + 0x82, 3 + 0xAC);
        }
    }

    @Test
    void theLeadingSpaceIsDroppedAtTheBeginningOfATextButNotInACompletion() throws IOException {
        try (HfTokenizer tokenizer = sentencePiece()) {
            int[] tokens = tokenizer.encode("hello wo", true);
            assertThat(tokenizer.decode(tokens, true)).isEqualTo("hello wo");
            assertThat(tokenizer.decode(tokens, false)).isEqualTo("<s>hello wo".replace("<s>", "<s> "));
            TextStream stream = new TextStream(tokenizer, List.of(), 0, Set.of());
            StringBuilder completion = new StringBuilder();
            for (int token : tokens) {
                completion.append(stream.push(token));
            }
            assertThat(completion + stream.finish()).isEqualTo(" hello wo");
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void theBytesOfTheTokensAreTheBytesOfTheText(long seed) throws IOException {
        Random random = new Random(seed);
        try (HfTokenizer bytes = byteLevel();
                HfTokenizer pieces = sentencePiece()) {
            for (int round = 0; round < 300; round++) {
                String text = randomText(random);
                int[] tokens = bytes.encode(text, false);
                assertThat(joined(bytes, tokens)).isEqualTo(text);
                assertThat(bytes.decode(tokens, false)).isEqualTo(text);
                int[] pieceTokens = pieces.encode(text, false);
                assertThat(joined(pieces, pieceTokens)).isEqualTo(text.isEmpty() ? "" : " " + text);
                assertThat(pieces.decode(pieceTokens, false)).isEqualTo(text);
            }
        }
    }

    @Test
    void halvesOfSurrogatePairsBecomeReplacementCharactersAndSpoilNothingElse() throws IOException {
        try (HfTokenizer tokenizer = byteLevel()) {
            String text = "\uDE00a😀\u0000b\uD83D";
            assertThat(tokenizer.decode(tokenizer.encode(text, false), false)).isEqualTo("\uFFFDa😀\u0000b\uFFFD");
        }
    }

    @Test
    void aTextBeyondTheLimitIsRefused() throws IOException {
        try (HfTokenizer tokenizer = byteLevel()) {
            String text = "a".repeat(HfTokenizer.MAX_TEXT_CHARS + 1);
            assertThatThrownBy(() -> tokenizer.encode(text, false))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("limit");
        }
    }

    @Test
    void manyThreadsUseOneTokenizer() throws Exception {
        try (HfTokenizer tokenizer = byteLevel();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<String>> texts = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                String text = "hello world " + i;
                texts.add(threads.submit(() -> tokenizer.decode(tokenizer.encode(text, true), true)));
            }
            for (int i = 0; i < texts.size(); i++) {
                assertThat(texts.get(i).get()).isEqualTo("hello world " + i);
            }
        }
    }

    @Test
    void aClosedTokenizerSaysSo() throws IOException {
        HfTokenizer tokenizer = byteLevel();
        tokenizer.close();
        tokenizer.close();
        assertThatThrownBy(() -> tokenizer.encode("a", false))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    @Test
    void whatIsNoTokenizerIsRefusedWithTheFileAndTheCause(@TempDir Path folder) throws IOException {
        ObjectNode hugeId = TestTokenizers.byteLevel();
        ((ObjectNode) hugeId.path("model").path("vocab")).put("huge", 4_000_000_000L);
        ObjectNode ctc = TestTokenizers.byteLevel();
        ctc.putObject("decoder").put("type", "CTC");
        ObjectNode noVocab = TestTokenizers.byteLevel();
        ((ObjectNode) noVocab.path("model")).remove("vocab");
        ObjectNode badMerge = TestTokenizers.byteLevel();
        badMerge.withObject("model").putArray("merges").add("no such");
        String good = TestTokenizers.byteLevel().toString();
        refused(folder, "", "expected an object");
        refused(folder, "[]", "expected an object");
        refused(folder, "{}", "no model");
        refused(folder, good.substring(0, good.length() / 2), "end-of-input");
        refused(folder, "{\"decoder\":" + "[".repeat(100_000), "nesting depth");
        refused(folder, "{\"model\":{\"vocab\":{\"a\":\"b\"}}}", "expected a number in vocab");
        refused(folder, "{\"model\":{\"vocab\":{\"a\":1e3}}}", "expected a number in vocab");
        refused(folder, "{\"model\":{\"vocab\":{}},\"added_tokens\":[{}]}", "added_tokens");
        refused(folder, hugeId.toString(), "4000000000");
        refused(folder, ctc.toString(), "CTC");
        refused(folder, noVocab.toString(), "no model");
        refused(folder, badMerge.toString(), "not a usable tokenizer");
    }

    @Test
    void aFileBeyondTheLimitIsNotRead(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("tokenizer.json");
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(HfTokenizer.MAX_FILE_BYTES + 1);
        }
        assertThatThrownBy(() -> HfTokenizer.load(file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not loaded");
    }

    @Test
    void storiesTokenizerEncodesAsItsModelWasTrained() throws IOException {
        Path file = Path.of(System.getProperty("penstock.shared", "../shared"))
                .resolve("models/stories260k/tokenizer.json");
        Assumptions.assumeTrue(Files.exists(file));
        try (HfTokenizer tokenizer = HfTokenizer.load(file)) {
            assertThat(tokenizer.encode("Once upon a time", true)).containsExactly(1, 403, 407, 261, 378);
        }
    }

    private static void refused(Path folder, String json, String cause) throws IOException {
        Path file = Files.writeString(folder.resolve("tokenizer.json"), json);
        assertThatThrownBy(() -> HfTokenizer.load(file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("tokenizer.json")
                .hasMessageContaining(cause);
    }

    private static String randomText(Random random) {
        String[] parts = {
            "hello", " ", "  ", "wo", "é", "😀", "日本", "\n", "\n\n", "\t", "1", "23", "<", "…", "\u0000", "a"
        };
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(12); n > 0; n--) {
            text.append(
                    random.nextInt(6) == 0
                            ? Character.toString(0xA1 + random.nextInt(0x500))
                            : parts[random.nextInt(parts.length)]);
        }
        return text.toString();
    }

    private static String joined(Tokenizer tokenizer, int[] tokens) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Arrays.stream(tokens).forEach(t -> bytes.writeBytes(tokenizer.bytes(t)));
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static String text(Tokenizer tokenizer, int token) {
        return new String(tokenizer.bytes(token), StandardCharsets.UTF_8);
    }

    private static HfTokenizer byteLevel() throws IOException {
        return HfTokenizer.of(TestTokenizers.byteLevel().toString());
    }

    private static HfTokenizer sentencePiece() throws IOException {
        return HfTokenizer.of(TestTokenizers.sentencePiece().toString());
    }
}
