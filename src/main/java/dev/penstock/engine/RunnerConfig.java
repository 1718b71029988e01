package dev.penstock.engine;

import dev.penstock.model.Device;
import dev.penstock.model.KvType;

/**
 * How a variant is opened.
 *
 * @param device what it runs on
 * @param threads threads of the step on the host, the caller's included
 * @param kvType type of the KV cache
 * @param blockSize tokens of a block, a multiple of 16
 * @param blocks blocks of the KV cache, over all sequences; on the CPU memory is taken as they are used
 * @param maxTokensPerStep most tokens of one step
 * @param maxRowsPerStep most rows of logits of one step
 */
public record RunnerConfig(
        Device device,
        int threads,
        KvType kvType,
        int blockSize,
        int blocks,
        int maxTokensPerStep,
        int maxRowsPerStep) {
    /** On the CPU. */
    public RunnerConfig(
            int threads, KvType kvType, int blockSize, int blocks, int maxTokensPerStep, int maxRowsPerStep) {
        this(Device.CPU, threads, kvType, blockSize, blocks, maxTokensPerStep, maxRowsPerStep);
    }

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
