package dev.penstock.prompt;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Runs a model over whole inputs, of which each gives one row of numbers; safe for many threads. */
public interface Encoder {
    /**
     * Takes inputs and returns at once. Cancelling the future frees their places.
     *
     * @param inputs at least one, each with a token at least and no more than the model's context
     * @return a row for each, in their order; or it fails with {@link EncoderException}
     */
    CompletableFuture<float[][]> encode(List<EncoderInput> inputs);
}
