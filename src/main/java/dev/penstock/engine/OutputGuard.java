package dev.penstock.engine;

import dev.penstock.model.OutputFollower;
import dev.penstock.model.SamplingParams;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Holds one completion to its constraint: which tokens may be sampled, those that end it counted in. For one thread. */
final class OutputGuard {
    private final OutputFollower follower;
    private final int[] endTokens;
    private final int minTokens;
    private final int maxTokens;

    /**
     * At the beginning of a completion.
     *
     * @param vocabSize one more than the highest token that there is
     * @param maxTokens most tokens that the completion can have, what the context leaves counted in
     */
    OutputGuard(OutputFollower follower, SamplingParams sampling, int vocabSize, int maxTokens) {
        this.follower = follower;
        this.maxTokens = maxTokens;
        minTokens = sampling.minTokens();
        IntStream eos = sampling.ignoreEos()
                ? IntStream.empty()
                : sampling.eosTokens().stream().mapToInt(Integer::intValue);
        IntStream stops = sampling.stopTokens().stream().mapToInt(Integer::intValue);
        // Models name end tokens that their vocabulary lacks.
        endTokens = IntStream.concat(eos, stops)
                .filter(token -> token >= 0 && token < vocabSize)
                .distinct()
                .toArray();
    }

    /** What may come at this place of the completion, bits as in {@link OutputFollower#allowed()}; not to be written to. */
    long[] allowed(int place) {
        long[] allowed = follower.allowed();
        return mayEnd(place) ? withEnds(allowed) : allowed;
    }

    /** Whether the completion could not come to an end within its tokens after this one, which is allowed. */
    boolean leadsTooFar(int token, int place) {
        return !endsWith(token) && !follower.canEndWithin(token, left(place));
    }

    /**
     * Those of {@link #allowed} that don't lead too far. Where all do they are those that come closest to an end; but where the text is
     * whole they are the tokens that end it, or none, as it has to end here without one.
     */
    long[] closing(int place) {
        long[] closing = follower.allowedWithin(left(place));
        if (!follower.mayEnd()) {
            return closing;
        }
        // Either all of them close in time or none does.
        int first = first(closing);
        boolean inTime = first < Long.SIZE * closing.length && follower.canEndWithin(first, left(place));
        long[] further = inTime ? closing : new long[0];
        return mayEnd(place) ? withEnds(further) : further;
    }

    /** Goes on behind the next token, which is none that ends the completion. */
    void accept(int token) {
        follower.accept(token);
    }

    /** Whether nothing may follow. */
    boolean mustEnd() {
        return follower.mustEnd();
    }

    /** A follower of its own at the same place, to look ahead with. */
    OutputFollower ahead() {
        return follower.copy();
    }

    private int left(int place) {
        return maxTokens - place - 1;
    }

    private boolean mayEnd(int place) {
        return endTokens.length > 0 && place >= minTokens && follower.mayEnd();
    }

    private boolean endsWith(int token) {
        return IntStream.of(endTokens).anyMatch(end -> end == token);
    }

    private long[] withEnds(long[] words) {
        int last = IntStream.of(endTokens).max().orElse(0);
        long[] with = Arrays.copyOf(words, Math.max(words.length, last / Long.SIZE + 1));
        for (int token : endTokens) {
            with[token / Long.SIZE] |= 1L << token;
        }
        return with;
    }

    /** The first token of a set; that behind its words if it has none. */
    private static int first(long[] words) {
        int word = 0;
        while (word < words.length && words[word] == 0) {
            word++;
        }
        return word == words.length ? Long.SIZE * word : Long.SIZE * word + Long.numberOfTrailingZeros(words[word]);
    }
}
