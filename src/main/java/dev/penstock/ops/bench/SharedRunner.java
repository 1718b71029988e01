package dev.penstock.ops.bench;

import dev.penstock.engine.ModelRunner;
import dev.penstock.engine.StepBatch;
import dev.penstock.model.DecoderShape;
import java.lang.foreign.MemorySegment;

/**
 * A runner that several step loops use in turn, each with a part of its KV cache to itself, so that what is compared runs on the same
 * weights at the same addresses. Not closed with its loops.
 *
 * @param runner for all of them
 * @param firstBlock of the part
 * @param blockCount of the part
 */
record SharedRunner(ModelRunner runner, int firstBlock, int blockCount) implements ModelRunner {
    @Override
    public DecoderShape shape() {
        return runner.shape();
    }

    @Override
    public int blockSize() {
        return runner.blockSize();
    }

    @Override
    public int maxTokensPerStep() {
        return runner.maxTokensPerStep();
    }

    @Override
    public int maxRowsPerStep() {
        return runner.maxRowsPerStep();
    }

    @Override
    public MemorySegment run(StepBatch batch) {
        int[] table = batch.blockTable().clone();
        for (int i = 0; i < batch.sequences() * batch.blocksPerSequence(); i++) {
            table[i] += firstBlock;
        }
        StepBatch moved = new StepBatch(
                batch.tokenIds(),
                batch.tokens(),
                batch.sequenceStarts(),
                batch.pastLengths(),
                batch.sequences(),
                table,
                batch.blocksPerSequence(),
                batch.logitRows(),
                batch.rows());
        synchronized (runner) {
            return runner.run(moved);
        }
    }

    @Override
    public void close() {}
}
