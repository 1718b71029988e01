package dev.penstock.embed;

import dev.penstock.model.EncoderTask;
import dev.penstock.model.Pooling;
import java.util.Optional;

/**
 * How an encoder is opened.
 *
 * @param task what it is for
 * @param asked the pooling to take in any case, if there is one; without it a graph that pools by itself is believed
 * @param usual the pooling where the graph gives the vectors of tokens
 * @param normalize whether vectors are scaled to length 1
 * @param width numbers of a vector, where the graph does not declare them
 * @param contextLength most tokens of an input
 * @param padToken what fills an input up to the length of the longest of its batch
 * @param threads threads of a run, the caller's included
 */
public record EncoderOptions(
        EncoderTask task,
        Optional<Pooling> asked,
        Pooling usual,
        boolean normalize,
        int width,
        int contextLength,
        int padToken,
        int threads) {
    /** The pooling of vectors of tokens. */
    Pooling pooling() {
        return asked.orElse(usual);
    }
}
