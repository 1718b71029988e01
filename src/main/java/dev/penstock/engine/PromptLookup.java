package dev.penstock.engine;

/**
 * Guesses how a sequence goes on: as it did where its last tokens stood before, in the prompt or in what it has said (prompt
 * lookup decoding, Saxena 2023). Of several places it takes the last one after the longest run of up to three tokens, but
 * stays with the one that it follows for as long as that has more in common. Time and memory are constant for each token.
 * For one thread.
 */
final class PromptLookup {
    private final LastRuns[] runs = {new LastRuns(3), new LastRuns(2), new LastRuns(1)};
    private final Acceptance acceptance;

    /** The place whose token is expected next; meaningless while nothing matches. */
    private int source;

    /** Tokens before {@link #source} that are the last of the sequence, too, as far as they were counted; 0 for no match. */
    private int matched;

    /** For one sequence. */
    PromptLookup(Acceptance acceptance) {
        this.acceptance = acceptance;
    }

    /** Looks for the sequence's end in what is before it; each call with all tokens of the one before and maybe more. */
    void find(int[] tokens, int length) {
        for (LastRuns run : runs) {
            run.add(tokens, length - 1);
        }
        for (int i = 0; i < runs.length && matched < Acceptance.LONGEST; i++) {
            int end = runs[i].find(tokens, length);
            if (end > 0) {
                int common = common(tokens, end, length);
                if (common > matched) {
                    matched = common;
                    source = end;
                }
                return;
            }
        }
    }

    /** Whether there is anything to guess from. */
    boolean matches() {
        return matched > 0;
    }

    /** The token so many places on, those before it having been written behind the sequence. */
    int guess(int[] tokens, int ahead) {
        return tokens[source + ahead];
    }

    /** The chance that this guess is right if those before it are. */
    double chance(int ahead) {
        return acceptance.chance(matched + ahead);
    }

    /** The sequence went on with this token, whether that had been guessed or not. */
    void sampled(int[] tokens, int token) {
        if (matched > 0) {
            boolean again = tokens[source] == token;
            acceptance.saw(matched, again);
            source++;
            matched = again ? matched + 1 : 0;
        }
    }

    private static int common(int[] tokens, int end, int length) {
        int common = 0;
        while (common < Math.min(end, Acceptance.LONGEST) && tokens[end - 1 - common] == tokens[length - 1 - common]) {
            common++;
        }
        return common;
    }
}
