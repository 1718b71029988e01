package dev.penstock.prompt;

import dev.penstock.prompt.constraint.Constraints;
import dev.penstock.prompt.dialogue.DialogueFormat;
import java.time.Instant;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The text side of a model that callers can name: what it takes to turn a request into tokens and tokens into a reply.
 *
 * @param id its name in {@code model}
 * @param created when it was loaded
 * @param fingerprint stable for this build and these weights, for {@code system_fingerprint}
 * @param tokenizer its tokenizer
 * @param constraints compiles what the tokens of its completions may spell
 * @param dialogue how it writes what is not plain text
 * @param template its chat template, if it has one
 * @param bosToken text of its begin token, if it has one
 * @param eosToken text of its end token, if it has one
 * @param eosTokens ids that end a completion
 * @param defaults sampling values where a request has none
 * @param contextLength most tokens of prompt and completion together
 */
public record ServedModel(
        String id,
        Instant created,
        String fingerprint,
        Tokenizer tokenizer,
        Constraints constraints,
        DialogueFormat dialogue,
        @Nullable ChatTemplate template,
        @Nullable String bosToken,
        @Nullable String eosToken,
        Set<Integer> eosTokens,
        SamplingDefaults defaults,
        int contextLength)
        implements CatalogModel {
    @Override
    public OptionalInt maxTokens() {
        return OptionalInt.of(contextLength);
    }
}
