package dev.penstock.prompt;

import dev.penstock.model.EncoderTask;
import java.time.Instant;
import java.util.OptionalInt;

/**
 * A model of this process that gives vectors or scores in place of text.
 *
 * @param id its name in {@code model}
 * @param created when it was loaded
 * @param task what its rows are: vectors, or one score from 0 to 1
 * @param width numbers of a row
 * @param tokenizer its tokenizer
 * @param contextLength most tokens of an input
 * @param encoder what runs it
 */
public record EncoderModel(
        String id,
        Instant created,
        EncoderTask task,
        int width,
        PairTokenizer tokenizer,
        int contextLength,
        Encoder encoder)
        implements CatalogModel {
    @Override
    public OptionalInt maxTokens() {
        return OptionalInt.of(contextLength);
    }
}
