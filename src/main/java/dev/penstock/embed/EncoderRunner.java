package dev.penstock.embed;

import dev.penstock.prompt.EncoderInput;
import java.util.List;

/** Runs a model over batches of whole inputs and owns its memory; for one thread. */
public interface EncoderRunner extends AutoCloseable {
    /** Numbers of an input's row. */
    int width();

    /** Most tokens of an input. */
    int contextLength();

    /**
     * Runs the model once over these inputs, of which each has 1 to {@link #contextLength} tokens.
     *
     * @return a row for each, in their order
     * @throws dev.penstock.onnx.OnnxException the run failed
     * @throws dev.penstock.engine.StepException the run failed
     */
    float[][] run(List<EncoderInput> inputs);

    @Override
    void close();
}
