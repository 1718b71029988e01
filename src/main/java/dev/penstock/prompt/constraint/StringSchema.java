package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;

/** Strings under a schema. */
final class StringSchema {
    private StringSchema() {}

    /** The strings, with their quotes. */
    static Regex compile(JsonNode schema, String where) {
        int min = count(schema, "minLength", 0, where);
        int max = count(schema, "maxLength", Regex.UNBOUNDED, where);
        if (max < min) {
            return Regex.EMPTY;
        }
        boolean counted = min > 0 || max < Regex.UNBOUNDED;
        JsonNode patterns = schema.path(SchemaMerger.PATTERNS);
        JsonNode format = schema.path("format");
        Regex body = null;
        if (format.isTextual()) {
            body = Formats.body(format.textValue(), where);
        }
        if (patterns.isEmpty() && body == null) {
            return counted ? JsonText.quoted(Regex.repeat(JsonText.CHARACTER, min, max)) : JsonText.STRING;
        }
        for (JsonNode pattern : patterns) {
            Regex one = pattern(pattern.textValue(), where);
            body = body == null ? one : Regex.and(body, one);
        }
        if (counted && body != null) {
            body = Regex.and(body, Regex.repeat(JsonText.canonical(CodePoints.ALL), min, max));
        }
        return body == null ? JsonText.STRING : JsonText.quoted(body);
    }

    private static Regex pattern(String pattern, String where) {
        try {
            return RegexParser.somewhere(pattern, JsonText::canonical);
        } catch (ConstraintException e) {
            throw new ConstraintException("'pattern' at " + where + ": " + e.getMessage());
        }
    }

    /** A count of a schema. */
    static int count(JsonNode schema, String keyword, int otherwise, String where) {
        JsonNode value = schema.path(keyword);
        if (value.isMissingNode()) {
            return otherwise;
        }
        if (!value.isNumber() || value.doubleValue() < 0 || value.doubleValue() != Math.rint(value.doubleValue())) {
            throw new ConstraintException("'" + keyword + "' at " + where + " must be a natural number.");
        }
        return value.doubleValue() >= Regex.UNBOUNDED ? Regex.UNBOUNDED : value.intValue();
    }

    /** What stands between the quotes of the strings that a schema of names allows, each written in one way. */
    static Regex names(JsonNode schema, String where) {
        if (schema.isBoolean()) {
            return schema.booleanValue() ? JsonText.CANONICAL_BODY : Regex.EMPTY;
        }
        Regex names = JsonText.CANONICAL_BODY;
        if (schema.has("enum")) {
            names = Regex.EMPTY;
            for (JsonNode value : schema.get("enum")) {
                if (value.isTextual()) {
                    names = Regex.union(names, JsonText.canonicalBody(value.textValue()));
                }
            }
        }
        for (JsonNode pattern : schema.path(SchemaMerger.PATTERNS)) {
            names = Regex.and(names, pattern(pattern.textValue(), where));
        }
        if (schema.path("format").isTextual()) {
            Regex format = Formats.body(schema.get("format").textValue(), where);
            names = format == null ? names : Regex.and(names, format);
        }
        int min = count(schema, "minLength", 0, where);
        int max = count(schema, "maxLength", Regex.UNBOUNDED, where);
        return min == 0 && max == Regex.UNBOUNDED
                ? names
                : Regex.and(names, Regex.repeat(JsonText.canonical(CodePoints.ALL), min, max));
    }
}
