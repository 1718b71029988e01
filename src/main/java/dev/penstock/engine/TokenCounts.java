package dev.penstock.engine;

import dev.penstock.model.SamplingParams;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** The distinct tokens of a sequence, and how often each stands in its completion: what penalties need. */
final class TokenCounts {
    private final Map<Integer, Integer> places = new HashMap<>();
    private int[] tokens = new int[64];
    private int[] inCompletion = new int[64];
    private int size;

    /** Counts a prompt's tokens as seen. */
    TokenCounts(int[] prompt) {
        for (int token : prompt) {
            place(token);
        }
    }

    /** Whether these parameters need counts at all. */
    static boolean wanted(SamplingParams sampling) {
        return sampling.repetitionPenalty() != 1 || sampling.frequencyPenalty() != 0 || sampling.presencePenalty() != 0;
    }

    /** Adds a token of the completion. */
    void sampled(int token) {
        // Not in one expression: finding the place may replace the array.
        int place = place(token);
        inCompletion[place]++;
    }

    /** Distinct tokens. */
    int size() {
        return size;
    }

    /** The distinct token at this place, in the order in which they were first seen. */
    int token(int place) {
        return tokens[place];
    }

    /** How often that token stands in the completion; 0 if only in the prompt. */
    int inCompletion(int place) {
        return inCompletion[place];
    }

    private int place(int token) {
        Integer known = places.putIfAbsent(token, size);
        if (known != null) {
            return known;
        }
        if (size == tokens.length) {
            tokens = Arrays.copyOf(tokens, size * 2);
            inCompletion = Arrays.copyOf(inCompletion, size * 2);
        }
        tokens[size] = token;
        return size++;
    }
}
