package dev.penstock.api;

import dev.penstock.model.TokenLogprob;
import dev.penstock.prompt.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/**
 * Holds the log probabilities of one choice back until the text of their tokens is out, so that the tokens of a reply
 * concatenate to its text: tokens of a stop string, half characters and control tokens run ahead of the text or are no
 * part of it. For one thread.
 */
final class LogprobAligner {
    private final Tokenizer tokenizer;
    private final Deque<TokenLogprob> held = new ArrayDeque<>();
    /** UTF-8 bytes of text that is out and whose tokens are not. */
    private long uncoveredBytes;

    LogprobAligner(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** Whether tokens wait for their text. */
    boolean holds() {
        return !held.isEmpty();
    }

    /** Takes more text and more tokens; returns the tokens that are covered by the text so far. */
    List<TokenLogprob> push(String text, List<TokenLogprob> logprobs) {
        uncoveredBytes += utf8Length(text);
        for (TokenLogprob logprob : logprobs) {
            if (!tokenizer.isSpecial(logprob.token())) {
                held.add(logprob);
            }
        }
        List<TokenLogprob> covered = new ArrayList<>();
        while (!held.isEmpty() && held.element().bytes().length <= uncoveredBytes) {
            TokenLogprob next = held.remove();
            uncoveredBytes -= next.bytes().length;
            covered.add(next);
        }
        return covered;
    }

    /**
     * The tokens that are still to come when the text is at its end.
     *
     * @param cut whether the text ended before the tokens did, at a stop string: the token in which it begins then
     *     counts with the part before it
     */
    List<TokenLogprob> finish(boolean cut) {
        if (!cut) {
            return List.copyOf(held);
        }
        if (held.isEmpty() || uncoveredBytes == 0) {
            return List.of();
        }
        TokenLogprob last = held.remove();
        byte[] bytes = Arrays.copyOf(last.bytes(), (int) uncoveredBytes);
        return List.of(new TokenLogprob(
                last.token(), new String(bytes, StandardCharsets.UTF_8), bytes, last.logprob(), last.top()));
    }

    private static long utf8Length(String text) {
        long bytes = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            // A surrogate is half of a character of four bytes.
            bytes += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
        }
        return bytes;
    }
}
