package dev.penstock.prompt.dialogue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/** How an argument is written where its text isn't JSON: the schema tells strings, which stand there bare, from the rest. */
enum ArgumentValue {
    /** Only ever a string. */
    STRING,
    /** A string, or null. */
    STRING_OR_NULL,
    /** JSON; what isn't is taken for a string. */
    JSON;

    private static final ObjectMapper MAPPER =
            new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /** How the argument of that name is written. */
    static ArgumentValue of(Tool tool, String key) {
        return of(tool.parameters().path("properties").path(key));
    }

    /** How values of this schema are written. */
    static ArgumentValue of(JsonNode schema) {
        JsonNode type = schema.path("type");
        if (type.isTextual()) {
            return type.textValue().equals("string") ? STRING : JSON;
        }
        if (type.isArray()) {
            boolean strings = false;
            for (JsonNode element : type) {
                String name = element.asText();
                if (!name.equals("string") && !name.equals("null")) {
                    return JSON;
                }
                strings |= name.equals("string");
            }
            return !strings ? JSON : type.size() == 1 ? STRING : STRING_OR_NULL;
        }
        JsonNode values = schema.path("enum");
        boolean strings = !values.isEmpty();
        for (JsonNode value : values) {
            strings &= value.isTextual();
        }
        return strings || schema.path("const").isTextual() ? STRING : JSON;
    }

    /** The JSON of what was written. */
    String json(String raw) {
        return switch (this) {
            case STRING -> PythonLiteral.quoted(raw);
            case STRING_OR_NULL -> raw.equals("null") ? raw : PythonLiteral.quoted(raw);
            case JSON -> {
                String text = raw.strip();
                try {
                    yield MAPPER.readTree(text).isMissingNode() ? PythonLiteral.quoted(raw) : text;
                } catch (JsonProcessingException e) {
                    String literal = PythonLiteral.toJson(text);
                    yield literal == null ? PythonLiteral.quoted(raw) : literal;
                }
            }
        };
    }
}
