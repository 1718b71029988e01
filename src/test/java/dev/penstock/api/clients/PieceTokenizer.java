package dev.penstock.api.clients;

import dev.penstock.api.ByteTokenizer;
import dev.penstock.prompt.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** Tokens that are bytes, and some that are more, among them those that real vocabularies have for JSON. */
final class PieceTokenizer implements Tokenizer {
    private static final List<String> PIECES = List.of(
            "{}", "}}", "{\"", "\":", ":\"", "\"}", "\": \"", "\n\n", " the", " is", "The", "city", "Munich", "<tool");

    private final ByteTokenizer bytes = new ByteTokenizer();

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        IntStream.Builder tokens = IntStream.builder();
        if (addSpecialTokens) {
            tokens.add(ByteTokenizer.BEGIN);
        }
        int at = 0;
        while (at < text.length()) {
            int piece = longestPiece(text, at);
            int end = piece < 0
                    ? text.offsetByCodePoints(at, 1)
                    : at + PIECES.get(piece).length();
            if (piece < 0) {
                for (int token : bytes.encode(text.substring(at, end), false)) {
                    tokens.add(token);
                }
            } else {
                tokens.add(bytes.vocabSize() + piece);
            }
            at = end;
        }
        return tokens.build().toArray();
    }

    private static int longestPiece(String text, int at) {
        int longest = -1;
        for (int i = 0; i < PIECES.size(); i++) {
            boolean longer =
                    longest < 0 || PIECES.get(i).length() > PIECES.get(longest).length();
            if (longer && text.startsWith(PIECES.get(i), at)) {
                longest = i;
            }
        }
        return longest;
    }

    @Override
    public String decode(int[] tokens, boolean skipSpecialTokens) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        for (int token : tokens) {
            if (!isSpecial(token) || !skipSpecialTokens) {
                text.writeBytes(bytes(token));
            }
        }
        return text.toString(StandardCharsets.UTF_8);
    }

    @Override
    public byte[] bytes(int token) {
        int piece = token - bytes.vocabSize();
        return piece < 0 ? bytes.bytes(token) : PIECES.get(piece).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public boolean isSpecial(int token) {
        return token < bytes.vocabSize() && bytes.isSpecial(token);
    }

    @Override
    public OptionalInt id(String token) {
        return bytes.id(token);
    }

    @Override
    public int vocabSize() {
        return bytes.vocabSize() + PIECES.size();
    }
}
