package dev.penstock.engine;

import dev.penstock.model.DecoderShape;
import java.lang.foreign.MemorySegment;

/** Runs steps of one variant on one device and owns its KV cache; for one thread. */
public interface ModelRunner extends AutoCloseable {
    /** The model's dimensions; {@code contextLength} is the one that this runner was opened for. */
    DecoderShape shape();

    /** Tokens in a block of the KV cache. */
    int blockSize();

    /** Blocks in the KV cache. */
    int blockCount();

    /** Most tokens of one step. */
    int maxTokensPerStep();

    /** Most rows of logits of one step. */
    int maxRowsPerStep();

    /**
     * Runs one step: writes keys and values of the step's tokens into their blocks and computes the wanted rows.
     *
     * @return logits, [R, vocabSize] 32-bit floats, row by row, or hidden states, [R, hiddenSize], of a variant without a
     *     head; owned by the runner, valid until the next call, free to
     *     be written to
     * @throws StepException the step failed; sequences of this batch have undefined keys and values at the step's places
     */
    MemorySegment run(StepBatch batch);

    @Override
    void close();
}
