package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * One JSON object of a request, read strictly: nothing is coerced, and what is wrong is named by its path. A field that
 * is {@code null} counts as absent, as in the API's contract. Each reader throws {@link ApiException} (400).
 */
final class JsonObject {
    private final ObjectNode node;
    private final String path;

    JsonObject(ObjectNode node, String path) {
        this.node = node;
        this.path = path;
    }

    /** The full name of a field, such as {@code messages[0].content}. */
    String path(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    /** The object itself. */
    ObjectNode node() {
        return node;
    }

    /** The field as it is, unless absent or null. */
    @Nullable
    JsonNode get(String name) {
        JsonNode value = node.get(name);
        return value == null || value.isNull() ? null : value;
    }

    /** A string, in which lone surrogates have become U+FFFD. */
    @Nullable
    String text(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return null;
        }
        if (!value.isTextual()) {
            throw wrongType(path(name), "a string", value);
        }
        return wellFormed(value.textValue());
    }

    /** A string that must be there. */
    String requiredText(String name) {
        String value = text(name);
        if (value == null) {
            throw missing(name);
        }
        return value;
    }

    /** A boolean. */
    boolean flag(String name, boolean otherwise) {
        JsonNode value = get(name);
        if (value == null) {
            return otherwise;
        }
        if (!value.isBoolean()) {
            throw wrongType(path(name), "a boolean", value);
        }
        return value.booleanValue();
    }

    /** An integer in [min, max]. */
    OptionalInt integer(String name, int min, int max) {
        JsonNode value = get(name);
        return value == null ? OptionalInt.empty() : OptionalInt.of(integer(value, path(name), min, max));
    }

    /** An integer of 64 bits. */
    OptionalLong longInteger(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return OptionalLong.empty();
        }
        if (!value.isIntegralNumber()) {
            throw wrongType(path(name), "an integer", value);
        }
        if (!value.canConvertToLong()) {
            throw ApiException.badField(path(name), "'" + path(name) + "' must fit into 64 bits.");
        }
        return OptionalLong.of(value.longValue());
    }

    /** A number in [min, max]. */
    OptionalDouble number(String name, double min, double max) {
        JsonNode value = get(name);
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(number(value, path(name), min, max));
    }

    /** An object. */
    @Nullable
    JsonObject object(String name) {
        JsonNode value = get(name);
        return value == null ? null : object(value, path(name));
    }

    /** The elements of an array. */
    @Nullable
    List<JsonNode> array(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return null;
        }
        if (!value.isArray()) {
            throw wrongType(path(name), "an array", value);
        }
        List<JsonNode> elements = new ArrayList<>(value.size());
        value.forEach(elements::add);
        return elements;
    }

    /** All fields in order. */
    Iterator<Map.Entry<String, JsonNode>> fields() {
        return node.properties().iterator();
    }

    /** The object as maps, lists, strings, numbers, booleans and nulls. */
    Map<String, @Nullable Object> plain() {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        fields().forEachRemaining(e -> map.put(e.getKey(), plain(e.getValue())));
        return map;
    }

    /** The node as an object. */
    static JsonObject object(JsonNode value, String path) {
        if (value instanceof ObjectNode object) {
            return new JsonObject(object, path);
        }
        throw wrongType(path, "an object", value);
    }

    /** The node as an integer in [min, max]. */
    static int integer(JsonNode value, String path, int min, int max) {
        if (!value.isIntegralNumber()) {
            throw wrongType(path, "an integer", value);
        }
        if (!value.canConvertToInt() || value.intValue() < min || value.intValue() > max) {
            throw ApiException.badField(
                    path,
                    "'" + path + "' must be "
                            + (max == Integer.MAX_VALUE ? "at least " + min : "from " + min + " to " + max) + ", not "
                            + shortened(value) + ".");
        }
        return value.intValue();
    }

    /** The node as a number in [min, max]. */
    static double number(JsonNode value, String path, double min, double max) {
        if (!value.isNumber()) {
            throw wrongType(path, "a number", value);
        }
        double number = value.doubleValue();
        if (!(number >= min && number <= max)) {
            throw ApiException.badField(
                    path, "'" + path + "' must be from " + min + " to " + max + ", not " + shortened(value) + ".");
        }
        return number;
    }

    /** The node as a string. */
    static String text(JsonNode value, String path) {
        if (!value.isTextual()) {
            throw wrongType(path, "a string", value);
        }
        return wellFormed(value.textValue());
    }

    /** The error for a field that must be there. */
    ApiException missing(String name) {
        return ApiException.badField(path(name), "'" + path(name) + "' is missing.");
    }

    /** The error for a value of another type. */
    static ApiException wrongType(String path, String expected, JsonNode found) {
        return ApiException.badField(path, "'" + path + "' must be " + expected + ", not " + kind(found) + ".");
    }

    private static String kind(JsonNode value) {
        return switch (value.getNodeType()) {
            case ARRAY -> "an array";
            case BOOLEAN -> "a boolean";
            case NUMBER -> value.isIntegralNumber() ? "an integer" : "a fraction";
            case OBJECT -> "an object";
            case STRING -> "a string";
            case NULL -> "null";
            case BINARY, MISSING, POJO -> "something else";
        };
    }

    private static String shortened(JsonNode value) {
        String text = value.asText();
        return text.length() <= 40 ? text : text.substring(0, 40) + "…";
    }

    private static @Nullable Object plain(JsonNode value) {
        return switch (value.getNodeType()) {
            case ARRAY -> {
                List<@Nullable Object> list = new ArrayList<>(value.size());
                value.forEach(element -> list.add(plain(element)));
                yield list;
            }
            case OBJECT -> {
                Map<String, @Nullable Object> map = new LinkedHashMap<>();
                value.properties().forEach(e -> map.put(e.getKey(), plain(e.getValue())));
                yield map;
            }
            case STRING -> wellFormed(value.textValue());
            case BOOLEAN -> value.booleanValue();
            case NUMBER ->
                value.isIntegralNumber() && value.canConvertToLong()
                        ? (Object) value.longValue()
                        : (Object) value.doubleValue();
            case NULL, BINARY, MISSING, POJO -> null;
        };
    }

    /** A client that cuts a string in the middle of an emoji sends half of it: no text in UTF-8 can hold that. */
    private static String wellFormed(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                if (Character.isHighSurrogate(c)
                        && i + 1 < text.length()
                        && Character.isLowSurrogate(text.charAt(i + 1))) {
                    i++;
                } else {
                    return text.codePoints()
                            .map(p -> p >= Character.MIN_SURROGATE && p <= Character.MAX_SURROGATE ? 0xFFFD : p)
                            .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                            .toString();
                }
            }
        }
        return text;
    }
}
