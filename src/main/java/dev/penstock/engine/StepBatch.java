package dev.penstock.engine;

/**
 * The packed tokens of one step and where their keys and values live: S sequences with T tokens in all, of which R
 * rows of logits are wanted. Arrays may be longer than the counts say, so that they can be reused.
 *
 * @param tokenIds [T] token ids, sequence after sequence
 * @param tokens T
 * @param sequenceStarts [S + 1] first token of each sequence, then T (the operator's cumulative_sequence_length)
 * @param pastLengths [S] tokens of each sequence that the KV cache holds before this step
 * @param sequences S
 * @param blockTable [S, blocksPerSequence] block ids of each sequence, row by row; places past its end are 0
 * @param blocksPerSequence width of the block table in this step
 * @param logitRows [R] indices into the T tokens
 * @param rows R; 0 if no sequence reaches its end in this step
 */
public record StepBatch(
        long[] tokenIds,
        int tokens,
        int[] sequenceStarts,
        int[] pastLengths,
        int sequences,
        int[] blockTable,
        int blocksPerSequence,
        long[] logitRows,
        int rows) {

    /** Tokens that the KV cache holds of these sequences before this step. */
    long kvTokens() {
        long sum = 0;
        for (int i = 0; i < sequences; i++) {
            sum += pastLengths[i];
        }
        return sum;
    }
}
