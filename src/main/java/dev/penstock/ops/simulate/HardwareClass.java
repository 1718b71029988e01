package dev.penstock.ops.simulate;

import java.util.SplittableRandom;

/**
 * A kind of server, as the simulator has it. A step takes an overhead and, whichever is more, computing its tokens or reading
 * weights and cache; near where both are equal it takes longer than either.
 *
 * @param name what it is called
 * @param usdPerHour its rent
 * @param share how many of it there are in a fleet of size 4
 * @param promptTokensPerSecond what it computes
 * @param weightSeconds reading the weights once
 * @param kvTokenSeconds reading one token of the KV cache
 * @param pairSeconds attention of one prompt token to one token before it
 * @param overheadSeconds of a step, whatever is in it
 * @param maxSequences sequences at once
 * @param kvTokens tokens that the cache holds
 * @param stepTokens the most tokens in a step
 * @param promptTokensBesideDecodes the most prompt tokens in a step that also decodes
 */
public record HardwareClass(
        String name,
        double usdPerHour,
        int share,
        double promptTokensPerSecond,
        double weightSeconds,
        double kvTokenSeconds,
        double pairSeconds,
        double overheadSeconds,
        int maxSequences,
        int kvTokens,
        int stepTokens,
        int promptTokensBesideDecodes) {
    /** A request of the size that is usual in the trace of code completion, to compare prices by. */
    private static final int NOMINAL_PROMPT = 2048;

    private static final int NOMINAL_OUTPUT = 28;

    /** How many sequences share a decoding step of the nominal request. */
    private static final int NOMINAL_BATCH = 4;

    /** Tokens that are computed at once, filled or not. */
    private static final int TILE = 16;

    public HardwareClass {
        boolean positive = usdPerHour > 0
                && promptTokensPerSecond > 0
                && weightSeconds > 0
                && kvTokenSeconds >= 0
                && pairSeconds >= 0
                && overheadSeconds >= 0
                && share > 0
                && share <= 1000
                && maxSequences > 0
                && kvTokens > 0
                && stepTokens > maxSequences
                && promptTokensBesideDecodes > 0;
        if (!positive) {
            throw new IllegalArgumentException(
                    "The class %s needs a price, speeds, a share of 1 to 1,000, room for sequences, cache and prompts beside decodes, and stepTokens above maxSequences."
                            .formatted(name));
        }
    }

    /** The most prompt tokens in a step that decodes for so many sequences. */
    int promptRoom(int sequences) {
        return sequences == 0 ? stepTokens : Math.min(promptTokensBesideDecodes, stepTokens - sequences);
    }

    /** Seconds that a step takes without noise; context is the mean over its prompt tokens. */
    double stepSeconds(double promptTokens, double context, int sequences, double kvTokens) {
        double tokens = TILE * Math.ceil((promptTokens + sequences) / TILE);
        double compute = tokens / promptTokensPerSecond + promptTokens * context * pairSeconds;
        double memory = weightSeconds + kvTokens * kvTokenSeconds;
        double more = Math.max(compute, memory);
        double less = Math.min(compute, memory) / more;
        double fourth = less * less * less * less;
        return overheadSeconds + more * Math.sqrt(Math.sqrt(1 + fourth));
    }

    /** Seconds of a step as they come: a few percent to either side, and now and then a pause. */
    double noisy(double seconds, SplittableRandom random) {
        double factor = Math.exp(0.04 * random.nextGaussian());
        boolean pause = random.nextDouble() < 0.003;
        return seconds * (pause ? factor * random.nextDouble(1.5, 3) : factor);
    }

    /** Seconds that a nominal request takes of it in good company. */
    double nominalSeconds() {
        return NOMINAL_PROMPT / promptTokensPerSecond + NOMINAL_OUTPUT * weightSeconds / NOMINAL_BATCH;
    }

    /** What such a request costs on it. */
    double nominalUsd() {
        return usdPerHour / 3600 * nominalSeconds();
    }

    /** Nominal prompts that it computes in that time. */
    int promptsIn(double seconds) {
        return (int) (seconds * promptTokensPerSecond / NOMINAL_PROMPT);
    }

    /** The same class at another rent. */
    HardwareClass withNominalUsd(double usd) {
        return new HardwareClass(
                name,
                usd * 3600 / nominalSeconds(),
                share,
                promptTokensPerSecond,
                weightSeconds,
                kvTokenSeconds,
                pairSeconds,
                overheadSeconds,
                maxSequences,
                kvTokens,
                stepTokens,
                promptTokensBesideDecodes);
    }
}
