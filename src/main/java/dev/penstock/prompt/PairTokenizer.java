package dev.penstock.prompt;

/** A tokenizer that can put two texts into one input, as cross-encoders want them; safe for use by many threads. */
public interface PairTokenizer extends Tokenizer {
    /**
     * Encodes a pair with the tokenizer's special tokens; of the second text goes what is too much, at its end.
     *
     * @param maxTokens most tokens of the result
     * @throws IllegalArgumentException nothing of the second text has room beside the first
     */
    EncoderInput encodePair(String first, String second, int maxTokens);
}
