package dev.penstock.engine;

import dev.penstock.model.DecoderShape;
import java.lang.foreign.MemorySegment;

/** A runner that is another one, but for what a test changes. */
abstract class WrappedModel implements ModelRunner {
    private final ModelRunner model;

    WrappedModel(ModelRunner model) {
        this.model = model;
    }

    @Override
    public MemorySegment run(StepBatch batch) {
        return model.run(batch);
    }

    @Override
    public DecoderShape shape() {
        return model.shape();
    }

    @Override
    public int blockSize() {
        return model.blockSize();
    }

    @Override
    public int blockCount() {
        return model.blockCount();
    }

    @Override
    public int maxTokensPerStep() {
        return model.maxTokensPerStep();
    }

    @Override
    public int maxRowsPerStep() {
        return model.maxRowsPerStep();
    }

    @Override
    public void close() {
        model.close();
    }
}
