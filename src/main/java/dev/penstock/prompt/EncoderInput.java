package dev.penstock.prompt;

/**
 * What an encoder makes one row of: a text, or a pair of texts. Its arrays are nobody's to change.
 *
 * @param tokens ids with the tokenizer's special tokens
 * @param types for each token the kind of segment that it is in, 0 or 1
 */
public record EncoderInput(int[] tokens, int[] types) {
    /** Of one text. */
    public EncoderInput(int[] tokens) {
        this(tokens, new int[tokens.length]);
    }

    /** Its tokens. */
    public int length() {
        return tokens.length;
    }
}
