package dev.penstock.prompt.dialogue;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * A function that the model may call.
 *
 * @param name its name
 * @param description what it does, for the model
 * @param parameters the JSON Schema of its arguments, an object
 * @param strict whether calls must follow the schema
 */
public record Tool(String name, @Nullable String description, JsonNode parameters, boolean strict) {}
