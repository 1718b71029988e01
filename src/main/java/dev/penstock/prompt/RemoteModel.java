package dev.penstock.prompt;

import java.time.Instant;
import java.util.OptionalInt;

/**
 * A model that only servers elsewhere have, with its tokenizer and its chat template.
 *
 * @param id its name in {@code model}
 * @param created when it was configured
 * @param maxTokens most tokens of prompt and completion together, if that was configured
 */
public record RemoteModel(String id, Instant created, OptionalInt maxTokens) implements CatalogModel {}
