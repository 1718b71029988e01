package dev.penstock.model;

import java.util.List;

/**
 * A token with the logarithm of its probability under the model, before temperature and cut-offs.
 *
 * @param token its id
 * @param text what it reads as; pieces of one character in several tokens may not be readable alone
 * @param bytes its bytes, which concatenate to the text's UTF-8
 * @param logprob natural logarithm of its probability
 * @param top the most likely tokens at this place, most likely first, without {@code top} of their own
 */
public record TokenLogprob(int token, String text, byte[] bytes, float logprob, List<TokenLogprob> top) {}
