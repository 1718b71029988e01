package dev.penstock.ops.bench;

import dev.penstock.prompt.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/** The tokenizer of a model that has none: a token's text is its id. */
record NumberTokenizer(int vocabSize) implements Tokenizer {
    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        return Arrays.stream(text.strip().split(" "))
                .mapToInt(Integer::parseInt)
                .toArray();
    }

    @Override
    public String decode(int[] tokens, boolean skipSpecialTokens) {
        return Arrays.stream(tokens).mapToObj(token -> " " + token).collect(Collectors.joining());
    }

    @Override
    public byte[] bytes(int token) {
        return (" " + token).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public boolean isSpecial(int token) {
        return false;
    }

    @Override
    public OptionalInt id(String token) {
        return OptionalInt.empty();
    }
}
