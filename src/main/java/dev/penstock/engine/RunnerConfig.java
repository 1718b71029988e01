package dev.penstock.engine;

import dev.penstock.model.KvType;

/**
 * How a variant is opened on the CPU.
 *
 * @param threads threads of the step, the caller's included
 * @param kvType type of the KV cache
 * @param blockSize tokens of a block, a multiple of 16
 * @param blocks blocks of the KV cache, over all sequences; memory is taken as they are used
 * @param maxTokensPerStep most tokens of one step
 * @param maxRowsPerStep most rows of logits of one step
 */
public record RunnerConfig(
        int threads, KvType kvType, int blockSize, int blocks, int maxTokensPerStep, int maxRowsPerStep) {
    /** Checks the numbers; throws IllegalArgumentException. */
    public RunnerConfig {
        if (threads < 1 || blockSize < 16 || blockSize % 16 != 0 || blocks < 1) {
            throw new IllegalArgumentException(
                    "%d threads, %d blocks of %d tokens: there must be a thread and a block, and 16 tokens or a multiple in it"
                            .formatted(threads, blocks, blockSize));
        }
        if (maxTokensPerStep < 1 || maxRowsPerStep < 1 || maxRowsPerStep > maxTokensPerStep) {
            throw new IllegalArgumentException(
                    "%d tokens and %d rows of a step".formatted(maxTokensPerStep, maxRowsPerStep));
        }
    }
}
