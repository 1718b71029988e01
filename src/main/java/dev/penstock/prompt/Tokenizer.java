package dev.penstock.prompt;

import java.util.OptionalInt;

/** Text to token ids and back, as a model's tokenizer defines it; safe for use by many threads. */
public interface Tokenizer {
    /**
     * Encodes a text.
     *
     * @param addSpecialTokens whether the tokenizer's own begin and end tokens are added; rendered chat templates
     *     contain theirs already
     */
    int[] encode(String text, boolean addSpecialTokens);

    /** Decodes a whole sequence. */
    String decode(int[] tokens, boolean skipSpecialTokens);

    /** The bytes that a token adds to a text it does not begin; those of a special token are its name's. */
    byte[] bytes(int token);

    /** Whether a token is a control token, which is no part of a completion's text. */
    boolean isSpecial(int token);

    /** The id of a token by its exact name, such as {@code <|eot_id|>}. */
    OptionalInt id(String token);

    /** One more than the highest id that the tokenizer knows. */
    int vocabSize();
}
