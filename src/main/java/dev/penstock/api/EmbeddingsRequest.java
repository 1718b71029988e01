package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * The body of {@code POST /v1/embeddings}, read and checked.
 *
 * @param inputs at least one
 * @param base64 whether vectors go out as 32-bit floats, little-endian, in Base64
 * @param dimensions numbers of a vector, where fewer than the model's are wanted
 */
record EmbeddingsRequest(List<Input> inputs, boolean base64, OptionalInt dimensions) {
    /** What the contract documents. */
    static final int MAX_INPUTS = 2048;

    /** An input as it came. */
    sealed interface Input {
        /** To be encoded. */
        record Text(String text) implements Input {}

        /** Token ids, taken as they are. */
        record Tokens(int[] ids) implements Input {}
    }

    static EmbeddingsRequest read(JsonObject body) {
        JsonNode input = body.get("input");
        if (input == null) {
            throw body.missing("input");
        }
        String format = body.text("encoding_format");
        if (format != null && !format.equals("float") && !format.equals("base64")) {
            throw ApiException.badField("encoding_format", "'encoding_format' must be 'float' or 'base64'.");
        }
        return new EmbeddingsRequest(
                inputs(input), "base64".equals(format), body.integer("dimensions", 1, Integer.MAX_VALUE));
    }

    /** The name of an input, for messages. */
    String param(int input) {
        return inputs.size() == 1 ? "input" : "input[" + input + "]";
    }

    private static List<Input> inputs(JsonNode input) {
        if (input.isTextual()) {
            return List.of(text(input, "input"));
        }
        if (!input.isArray()) {
            throw JsonObject.wrongType("input", "a string, an array of strings or token ids", input);
        }
        if (input.isEmpty()) {
            throw ApiException.badField("input", "'input' must not be empty.");
        }
        if (input.get(0).isNumber()) {
            return List.of(tokens(input, "input"));
        }
        if (input.size() > MAX_INPUTS) {
            throw ApiException.badField(
                    "input", "'input' must have at most " + MAX_INPUTS + " elements, not " + input.size() + ".");
        }
        boolean arrays = input.get(0).isArray();
        List<Input> inputs = new ArrayList<>(input.size());
        for (int i = 0; i < input.size(); i++) {
            String path = "input[" + i + "]";
            inputs.add(arrays ? tokens(input.get(i), path) : text(input.get(i), path));
        }
        return inputs;
    }

    private static Input text(JsonNode value, String path) {
        if (!value.isTextual()) {
            throw JsonObject.wrongType(path, "a string", value);
        }
        String text = JsonObject.text(value, path);
        if (text.isEmpty()) {
            throw ApiException.badField(path, "'" + path + "' must not be an empty string.");
        }
        return new Input.Text(text);
    }

    private static Input tokens(JsonNode value, String path) {
        if (!value.isArray()) {
            throw JsonObject.wrongType(path, "an array of token ids", value);
        }
        int[] ids = new int[value.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = JsonObject.integer(value.get(i), path, 0, Integer.MAX_VALUE);
        }
        return new Input.Tokens(ids);
    }
}
