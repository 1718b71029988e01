package dev.penstock.engine;

import dev.penstock.prompt.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;

/** Each id is two letters; the highest id is an end token without text. */
public record LetterTokenizer(int vocabSize) implements Tokenizer {
    int eos() {
        return vocabSize - 1;
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        int[] tokens = new int[text.length() / 2];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = (text.charAt(2 * i) - 'a') * 26 + text.charAt(2 * i + 1) - 'a';
        }
        return tokens;
    }

    @Override
    public String decode(int[] tokens, boolean skipSpecialTokens) {
        StringBuilder text = new StringBuilder();
        for (int token : tokens) {
            if (!isSpecial(token)) {
                text.append(new String(bytes(token), StandardCharsets.US_ASCII));
            }
        }
        return text.toString();
    }

    @Override
    public byte[] bytes(int token) {
        return isSpecial(token)
                ? "</s>".getBytes(StandardCharsets.US_ASCII)
                : new byte[] {(byte) ('a' + token / 26), (byte) ('a' + token % 26)};
    }

    @Override
    public boolean isSpecial(int token) {
        return token == eos();
    }

    @Override
    public OptionalInt id(String token) {
        return token.equals("</s>") ? OptionalInt.of(eos()) : OptionalInt.empty();
    }
}
