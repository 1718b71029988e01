package dev.penstock.prompt;

import java.time.Instant;
import java.util.OptionalInt;

/** A model that callers can name. */
public sealed interface CatalogModel permits ServedModel, EncoderModel, RemoteModel {
    /** Its name in {@code model}. */
    String id();

    /** When it was loaded. */
    Instant created();

    /** Most tokens of prompt and completion together, or of an encoder's input, if that is known. */
    OptionalInt maxTokens();
}
