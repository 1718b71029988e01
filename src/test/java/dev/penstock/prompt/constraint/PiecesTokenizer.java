package dev.penstock.prompt.constraint;

import dev.penstock.prompt.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** A vocabulary of all bytes, of some longer pieces, and of a token that ends a text, which has the highest id. */
public final class PiecesTokenizer implements Tokenizer {
    private static final String END = "</s>";
    private static final List<String> PIECES = List.of(
            "\"",
            "\":",
            "\": ",
            "\",",
            "\", \"",
            "{\"",
            "\"}",
            "},{",
            "[{\"",
            "\"]",
            "[]",
            "{}",
            "null",
            "true",
            "false",
            "\n",
            "\n  ",
            "\n    ",
            "  ",
            "00",
            "10",
            "123",
            "2024-",
            ":00",
            "-0",
            ".5",
            "e1",
            "the",
            " a",
            "name",
            "kind",
            "ab",
            "abc",
            "é",
            "\u20ac",
            "\ud83d\ude00",
            "\\n",
            "\\u00",
            "\\ud83d",
            "\\\"",
            "a\":",
            "b\":1",
            "]}",
            "}}",
            "],[");

    private final List<byte[]> tokens = new ArrayList<>();

    /** The same each time. */
    public PiecesTokenizer() {
        for (int b = 0; b < 256; b++) {
            tokens.add(new byte[] {(byte) b});
        }
        PIECES.forEach(piece -> tokens.add(piece.getBytes(StandardCharsets.UTF_8)));
        tokens.add(END.getBytes(StandardCharsets.UTF_8));
    }

    /** The token that ends a text. */
    public int end() {
        return tokens.size() - 1;
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] ids = new int[bytes.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = bytes[i] & 0xFF;
        }
        return ids;
    }

    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
        throw new AssertionError("only bytes of tokens are asked for, one by one");
    }

    @Override
    public byte[] bytes(int token) {
        return tokens.get(token).clone();
    }

    @Override
    public boolean isSpecial(int token) {
        return token == end();
    }

    @Override
    public OptionalInt id(String token) {
        return token.equals(END) ? OptionalInt.of(end()) : OptionalInt.empty();
    }

    @Override
    public int vocabSize() {
        return tokens.size();
    }
}
