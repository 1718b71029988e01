package dev.penstock.engine;

/**
 * What one token more costs in a step of decodes: the time of such a step is taken as a line over its tokens. The slope comes
 * from steps that follow one another, so that neither growing contexts nor a machine that slows down look like a cost of
 * tokens, and drifts back to a guess while nothing is seen, so that a wrong one is found out. For one thread.
 */
final class StepCost {
    /** The weight that the past keeps at each step: it remembers some fifty. */
    private static final double MEMORY = 0.98;

    /** How fast the line's height follows. */
    private static final double FOLLOW = 0.2;

    /** What the guess weighs in the long run: as much as one pair of steps that differ by this many tokens squared. */
    private static final double GUESS_WEIGHT = 9;

    /** The guess: all the rest of a step takes as long as this many tokens; on two cores it is about four. */
    private static final double GUESSED_BASE_TOKENS = 4;

    private double meanTokens;
    private double meanNs;
    private double squares;
    private double products;
    private int lastTokens;
    private double lastNs;

    /** A step of decodes took this long, drafts counted in its tokens. */
    void took(int tokens, double ns) {
        boolean first = meanNs == 0;
        meanTokens += (first ? 1 : FOLLOW) * (tokens - meanTokens);
        meanNs += (first ? 1 : FOLLOW) * (ns - meanNs);
        double guess = meanNs / (meanTokens + GUESSED_BASE_TOKENS);
        double weight = (first ? 1 : 1 - MEMORY) * GUESS_WEIGHT;
        squares = MEMORY * squares + weight;
        products = MEMORY * products + weight * guess;
        int more = tokens - lastTokens;
        if (lastTokens > 0 && more != 0) {
            // A token can't take longer than the mean of a step's tokens; what says so is a pause of the machine.
            double most = Math.min(ns / tokens, lastNs / lastTokens);
            double slope = Math.clamp((ns - lastNs) / more, 0, most);
            squares += (double) more * more;
            products += (double) more * more * slope;
        }
        lastTokens = tokens;
        lastNs = ns;
    }

    /** A step with prompts came in between. */
    void interrupted() {
        lastTokens = 0;
    }

    /**
     * What a token more costs a step of so many sequences, as a share of what the step takes for each of them: a draft pays if it
     * is accepted more often than that, since it saves a sequence its part of a step.
     */
    double draftCost(int sequences) {
        if (meanNs == 0) {
            return sequences / (sequences + GUESSED_BASE_TOKENS);
        }
        double slope = products / squares;
        double stepNs = Math.max(meanNs + slope * (sequences - meanTokens), slope * sequences);
        return slope * sequences / stepNs;
    }
}
