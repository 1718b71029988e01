package dev.penstock.prompt.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.CodedOutputStream;
import dev.penstock.prompt.tokenizer.SentencePieceModel.ModelType;
import dev.penstock.prompt.tokenizer.SentencePieceModel.Piece;
import dev.penstock.prompt.tokenizer.SentencePieceModel.PieceType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SentencePieceConverterTest {
    private static final List<String> TEXTS = List.of(
            "",
            " ",
            "     ",
            "Hello, world",
            "The quick brown fox jumps over the lazy dog",
            "  two leading spaces, two  inside and two behind  ",
            "digits 0123456789 3.14159 1,000,000",
            "line\nbreaks\n\n\nand\ttabs\r\n",
            "Grüße, naïve façade, Ångström, ﬁ",
            "日本語のテキスト 中文 한국어 ภาษาไทย العربية עברית",
            "😀👩‍👩‍👧‍👦🏳️‍🌈 𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
            "def f(x):\n    return x ** 2  # comment\n",
            "{\"key\": [1, 2, {\"nested\": null}]}",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "\u0000\u0001\u007f\u0080\uFFFD",
            "▁already▁▁there",
            "<0x41> is no byte here");

    @Test
    void llama2sRealModelGivesTheIdsThatItIsKnownFor() throws IOException {
        Path file = llama2();
        try (HfTokenizer tokenizer = Tokenizers.load(file)) {
            assertThat(tokenizer.vocabSize()).isEqualTo(32000);
            assertThat(tokenizer.encode("Hello, world", true)).containsExactly(1, 15043, 29892, 3186);
            assertThat(tokenizer.encode("", true)).containsExactly(1);
            assertThat(tokenizer.encode("<s>[INST] Hi [/INST]", false)).startsWith(1, 518, 25580, 29962);
            assertThat(tokenizer.id("</s>")).hasValue(2);
            assertThat(tokenizer.isSpecial(0)).isTrue();
            assertThat(tokenizer.isSpecial(2)).isTrue();
            assertThat(tokenizer.isSpecial(3)).isFalse();
            assertThat(tokenizer.bytes(3 + 0xE2)).containsExactly(0xE2);
            assertThat(new String(tokenizer.bytes(15043), StandardCharsets.UTF_8))
                    .isEqualTo(" Hello");
        }
    }

    @Test
    void llama2sRealModelEncodesAsSentencePieceDoes() throws IOException {
        Path file = llama2();
        SentencePieceModel model = SentencePieceModel.read(file);
        try (HfTokenizer tokenizer = Tokenizers.load(file)) {
            Random random = new Random(7);
            List<String> texts = new ArrayList<>(TEXTS);
            for (int i = 0; i < 500; i++) {
                texts.add(randomText(random, TEXTS));
            }
            check(model, tokenizer, texts);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void anyModelEncodesAsSentencePieceDoes(long seed) throws IOException {
        Random random = new Random(seed);
        SentencePieceModel model = SentencePieceModel.parse(proto(randomModel(random), ModelType.BPE, seed % 2 == 0));
        try (HfTokenizer tokenizer = HfTokenizer.of(SentencePieceConverter.toTokenizerJson(model))) {
            List<String> texts = new ArrayList<>(TEXTS);
            for (int i = 0; i < 400; i++) {
                texts.add(randomText(random, List.of("abc", "ab ba", "c  ab", "aab", "éc", "b\n")));
            }
            check(model, tokenizer, texts);
        }
    }

    @Test
    void userDefinedPiecesAreFoundWholeAndAreText() throws IOException {
        List<Piece> pieces = new ArrayList<>(basicPieces());
        int tool = pieces.size();
        pieces.add(new Piece("[TOOL]", 0, PieceType.USER_DEFINED));
        try (HfTokenizer tokenizer = HfTokenizer.of(
                SentencePieceConverter.toTokenizerJson(SentencePieceModel.parse(proto(pieces, ModelType.BPE, true))))) {
            assertThat(tokenizer.encode("a[TOOL]b", false)).contains(tool);
            assertThat(tokenizer.isSpecial(tool)).isFalse();
            assertThat(new String(tokenizer.bytes(tool), StandardCharsets.UTF_8))
                    .isEqualTo("[TOOL]");
        }
    }

    @Test
    void whatIsNoBpeModelIsRefusedWithTheFileAndTheCause(@TempDir Path folder) throws IOException {
        byte[] good = proto(basicPieces(), ModelType.BPE, true);
        refused(folder, new byte[0], "no pieces");
        refused(folder, Arrays.copyOf(good, good.length / 2), "not a SentencePiece model");
        refused(folder, "{\"version\": \"1.0\"}".getBytes(StandardCharsets.UTF_8), "not a SentencePiece model");
        refused(folder, proto(basicPieces(), ModelType.UNIGRAM, true), "UNIGRAM");
        refused(folder, proto(List.of(new Piece("", 0, PieceType.NORMAL)), ModelType.BPE, true), "piece 0");
        refused(
                folder,
                proto(List.of(new Piece("a".repeat(9999), 0, PieceType.NORMAL)), ModelType.BPE, true),
                "piece 0");
        refused(folder, proto(List.of(new Piece("a", Float.NaN, PieceType.NORMAL)), ModelType.BPE, true), "NaN");
        Piece twice = new Piece("a", 0, PieceType.NORMAL);
        refused(folder, proto(List.of(twice, twice), ModelType.BPE, true), "twice");
        // A length that goes beyond the end.
        refused(folder, new byte[] {10, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 0x7F, 1}, "not a SentencePiece model");
        refused(
                folder,
                new byte[] {10, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 0x0F},
                "not a SentencePiece model");
        Path huge = folder.resolve("tokenizer.model");
        try (RandomAccessFile sparse = new RandomAccessFile(huge.toFile(), "rw")) {
            sparse.setLength(1L << 30);
        }
        assertThatThrownBy(() -> Tokenizers.load(huge))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not loaded");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void anyDamageToAModelEndsAsAnIoExceptionOrIsHarmless(long seed) throws IOException {
        Random random = new Random(seed);
        byte[] good = proto(basicPieces(), ModelType.BPE, true);
        for (int round = 0; round < 2000; round++) {
            byte[] damaged = good.clone();
            for (int n = 1 + random.nextInt(4); n > 0; n--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            try {
                SentencePieceConverter.toTokenizerJson(SentencePieceModel.parse(damaged));
            } catch (IOException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
    }

    private static void refused(Path folder, byte[] proto, String cause) throws IOException {
        Path file = Files.write(folder.resolve("tokenizer.model"), proto);
        assertThatThrownBy(() -> Tokenizers.load(file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("tokenizer.model")
                .hasMessageContaining(cause);
    }

    private static void check(SentencePieceModel model, HfTokenizer tokenizer, List<String> texts) {
        for (String text : texts) {
            assertThat(tokenizer.encode(text, false)).as(text).containsExactly(naive(model, text));
        }
    }

    /** SentencePiece's BPE, word for word: of all neighbours the pair with the best score, the leftmost of equals. */
    private static int[] naive(SentencePieceModel model, String text) {
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < model.pieces().size(); id++) {
            if (model.pieces().get(id).type() == PieceType.NORMAL) {
                ids.put(model.pieces().get(id).text(), id);
            }
        }
        String normalized = (model.addDummyPrefix() && !text.isEmpty() ? "▁" : "") + text.replace(' ', '▁');
        List<String> symbols = new ArrayList<>(
                normalized.codePoints().mapToObj(Character::toString).toList());
        while (true) {
            int best = -1;
            float bestScore = 0;
            for (int i = 0; i + 1 < symbols.size(); i++) {
                Integer id = ids.get(symbols.get(i) + symbols.get(i + 1));
                if (id != null && (best < 0 || model.pieces().get(id).score() > bestScore)) {
                    best = i;
                    bestScore = model.pieces().get(id).score();
                }
            }
            if (best < 0) {
                break;
            }
            symbols.set(best, symbols.get(best) + symbols.remove(best + 1));
        }
        List<Integer> tokens = new ArrayList<>();
        for (String symbol : symbols) {
            Integer id = ids.get(symbol);
            if (id != null) {
                tokens.add(id);
            } else {
                for (byte b : symbol.getBytes(StandardCharsets.UTF_8)) {
                    tokens.add(3 + (b & 0xFF));
                }
            }
        }
        return tokens.stream().mapToInt(Integer::intValue).toArray();
    }

    private static String randomText(Random random, List<String> parts) {
        StringBuilder text = new StringBuilder();
        for (int n = 1 + random.nextInt(8); n > 0; n--) {
            String part = parts.get(random.nextInt(parts.size()));
            int[] points = part.codePoints().toArray();
            if (points.length > 0) {
                int from = random.nextInt(points.length);
                text.append(new String(points, from, 1 + random.nextInt(points.length - from)));
            }
        }
        return text.toString().replace("<", "(");
    }

    /** Control pieces, bytes, and a few letters. */
    private static List<Piece> basicPieces() {
        List<Piece> pieces = new ArrayList<>();
        pieces.add(new Piece("<unk>", 0, PieceType.UNKNOWN));
        pieces.add(new Piece("<s>", 0, PieceType.CONTROL));
        pieces.add(new Piece("</s>", 0, PieceType.CONTROL));
        for (int b = 0; b < 256; b++) {
            pieces.add(new Piece("<0x%02X>".formatted(b), 0, PieceType.BYTE));
        }
        for (String letter : "▁abcé\n".split("")) {
            pieces.add(new Piece(letter, -1000 - pieces.size(), PieceType.NORMAL));
        }
        return pieces;
    }

    /** Pieces put together as a trainer does: each of two earlier ones, with a lower score than all before. */
    private static List<Piece> randomModel(Random random) {
        List<Piece> pieces = new ArrayList<>(basicPieces());
        List<String> texts = new ArrayList<>(List.of("▁", "a", "b", "c", "é", "\n"));
        while (texts.size() < 80) {
            String text = texts.get(random.nextInt(texts.size())) + texts.get(random.nextInt(texts.size()));
            if (text.length() <= 8 && !texts.contains(text)) {
                texts.add(text);
                pieces.add(new Piece(text, -texts.size(), PieceType.NORMAL));
            }
        }
        return pieces;
    }

    private static byte[] proto(List<Piece> pieces, ModelType type, boolean dummyPrefix) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        for (Piece piece : pieces) {
            out.writeByteArray(1, message(m -> {
                m.writeString(1, piece.text());
                m.writeFloat(2, piece.score());
                if (piece.type() != PieceType.NORMAL) {
                    m.writeEnum(3, piece.type().ordinal() + 1);
                }
            }));
        }
        out.writeByteArray(2, message(m -> {
            m.writeEnum(3, type.ordinal() + 1);
            m.writeInt32(4, pieces.size());
            m.writeBool(35, true);
        }));
        out.writeByteArray(3, message(m -> {
            m.writeString(1, "identity");
            m.writeBool(3, dummyPrefix);
            m.writeBool(4, false);
        }));
        out.writeString(99, "a field that nobody knows");
        out.flush();
        return bytes.toByteArray();
    }

    private interface Fields {
        void write(CodedOutputStream out) throws IOException;
    }

    private static byte[] message(Fields fields) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        fields.write(out);
        out.flush();
        return bytes.toByteArray();
    }

    private static Path llama2() {
        Path file = Path.of(System.getProperty("penstock.shared", "../shared"))
                .resolve("tokenizers/llama2.tokenizer.model");
        Assumptions.assumeTrue(Files.exists(file));
        return file;
    }
}
