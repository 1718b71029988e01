package dev.penstock.engine;

import java.util.Arrays;
import java.util.List;

/** Lays the planned tokens of a step out for the model runner, in arrays that are used again. For one thread. */
final class StepBatchBuilder {
    private final long[] tokenIds;
    private final int[] sequenceStarts;
    private final int[] pastLengths;
    private final long[] logitRows;
    private int[] blockTable = new int[0];

    /** For steps within these limits. */
    StepBatchBuilder(EngineOptions options, int maxRows) {
        tokenIds = new long[options.maxStepTokens()];
        sequenceStarts = new int[options.maxRunning() + 1];
        pastLengths = new int[options.maxRunning()];
        logitRows = new long[maxRows];
    }

    /**
     * The batch of all sequences with planned tokens, valid until the next call; the rows of logits that each wants, in the
     * same order.
     */
    StepBatch build(List<Sequence> running) {
        int sequences = 0;
        int tokens = 0;
        int rows = 0;
        int width = 0;
        for (Sequence sequence : running) {
            if (sequence.planned() > 0) {
                sequenceStarts[sequences] = tokens;
                pastLengths[sequences++] = sequence.computed();
                for (int i = 0; i < sequence.planned(); i++) {
                    tokenIds[tokens++] = sequence.tokens()[sequence.computed() + i];
                }
                for (int left = sequence.rows(); left > 0; left--) {
                    logitRows[rows++] = tokens - left;
                }
                width = Math.max(width, sequence.blocks().size());
            }
        }
        sequenceStarts[sequences] = tokens;
        layOutBlocks(running, sequences, width);
        return new StepBatch(
                tokenIds, tokens, sequenceStarts, pastLengths, sequences, blockTable, width, logitRows, rows);
    }

    private void layOutBlocks(List<Sequence> running, int sequences, int width) {
        if (blockTable.length < sequences * width) {
            blockTable = new int[sequences * width * 2];
        }
        int at = 0;
        for (Sequence sequence : running) {
            if (sequence.planned() > 0) {
                BlockTable blocks = sequence.blocks();
                blocks.copyTo(blockTable, at);
                Arrays.fill(blockTable, at + blocks.size(), at + width, 0);
                at += width;
            }
        }
    }
}
