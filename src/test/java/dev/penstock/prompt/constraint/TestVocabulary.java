package dev.penstock.prompt.constraint;

import dev.penstock.prompt.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.random.RandomGenerator;

/** A vocabulary of given pieces, of which the last ones may be special. */
final class TestVocabulary implements Tokenizer {
    private final List<byte[]> pieces = new ArrayList<>();
    private final int specials;

    TestVocabulary(List<String> texts, List<String> specials) {
        texts.forEach(text -> pieces.add(text.getBytes(StandardCharsets.UTF_8)));
        specials.forEach(name -> pieces.add(name.getBytes(StandardCharsets.UTF_8)));
        this.specials = specials.size();
    }

    /** All single bytes, in their order, and then these. */
    static TestVocabulary ofBytesAnd(List<String> texts, List<String> specials) {
        TestVocabulary made = new TestVocabulary(texts, specials);
        for (int b = 255; b >= 0; b--) {
            made.pieces.addFirst(new byte[] {(byte) b});
        }
        return made;
    }

    /** All single bytes and so many random runs of some characters. */
    static TestVocabulary random(RandomGenerator random, String alphabet, int count) {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            texts.add(text(random, alphabet, 2 + random.nextInt(4)));
        }
        return ofBytesAnd(texts, List.of());
    }

    /** With as many more tokens that are parts of these, cut between any two bytes. */
    TestVocabulary cut(RandomGenerator random) {
        for (byte[] whole : List.copyOf(pieces.subList(256, pieces.size() - specials))) {
            int from = random.nextInt(whole.length);
            int to = from + 1 + random.nextInt(whole.length - from);
            pieces.add(256, Arrays.copyOfRange(whole, from, to));
        }
        return this;
    }

    static String text(RandomGenerator random, String alphabet, int length) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        return text.toString();
    }

    /** The one token that is exactly this text. */
    int token(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (int token = 0; token < pieces.size(); token++) {
            if (Arrays.equals(pieces.get(token), bytes)) {
                return token;
            }
        }
        throw new IllegalArgumentException(text);
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        throw new AssertionError("constraints encode nothing");
    }

    @Override
    public String decode(int[] tokens, boolean skipSpecialTokens) {
        throw new AssertionError("constraints decode nothing");
    }

    @Override
    public byte[] bytes(int token) {
        return pieces.get(token).clone();
    }

    @Override
    public boolean isSpecial(int token) {
        return token >= pieces.size() - specials;
    }

    @Override
    public OptionalInt id(String token) {
        return OptionalInt.empty();
    }

    @Override
    public int vocabSize() {
        return pieces.size();
    }
}
