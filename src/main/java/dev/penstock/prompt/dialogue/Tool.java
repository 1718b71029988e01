package dev.penstock.prompt.dialogue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import org.jspecify.annotations.Nullable;

/**
 * A function that the model may call.
 *
 * @param name its name
 * @param description what it does, for the model
 * @param parameters the JSON Schema of its arguments, an object
 * @param strict whether calls must follow the schema
 */
public record Tool(String name, @Nullable String description, JsonNode parameters, boolean strict) {
    /** The same one, but any object will do for its arguments. */
    public Tool withAnyArguments() {
        return new Tool(name, description, JsonNodeFactory.instance.objectNode().put("type", "object"), false);
    }

    /** Whether it may be given arguments by any names: it isn't strict, and says of none what it is. */
    boolean takesAnything() {
        return !strict && !parameters.has("properties") && !parameters.has("required");
    }
}
