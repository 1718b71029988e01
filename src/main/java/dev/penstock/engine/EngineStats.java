package dev.penstock.engine;

/**
 * What a step loop is doing, as of the end of its last step or sequence. Counters run from its start.
 *
 * @param running sequences in the batch
 * @param waiting sequences that wait for a place, preempted ones included
 * @param blocks blocks of the KV cache
 * @param usedBlocks blocks that running sequences hold
 * @param cachedBlocks blocks that nobody holds and that are kept for sequences that begin alike
 * @param steps steps run
 * @param failedSteps steps that failed
 * @param promptTokens prompt tokens of the sequences that were admitted, cached ones included
 * @param cachedPromptTokens those of them that the prefix cache saved
 * @param completionTokens tokens sampled
 * @param preemptions times that a sequence lost its blocks and was put back to wait
 * @param draftedTokens guesses at tokens that were computed beside them
 * @param acceptedTokens those of them that were right, each of which saved its sequence a step
 */
public record EngineStats(
        int running,
        int waiting,
        int blocks,
        int usedBlocks,
        int cachedBlocks,
        long steps,
        long failedSteps,
        long promptTokens,
        long cachedPromptTokens,
        long completionTokens,
        long preemptions,
        long draftedTokens,
        long acceptedTokens) {

    /** Share of the KV cache that running sequences hold, 0 to 1; what is only cached counts as free. */
    public double kvUsage() {
        return (double) usedBlocks / blocks;
    }

    EngineStats withWaiting(int number) {
        return new EngineStats(
                running,
                number,
                blocks,
                usedBlocks,
                cachedBlocks,
                steps,
                failedSteps,
                promptTokens,
                cachedPromptTokens,
                completionTokens,
                preemptions,
                draftedTokens,
                acceptedTokens);
    }
}
