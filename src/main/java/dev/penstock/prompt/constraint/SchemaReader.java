package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import dev.penstock.prompt.constraint.Conjunction.Type;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads the keywords of one schema that say something of the value itself (JSON Schema 2020-12, validation and applicators). */
final class SchemaReader {
    /** Keywords that allow and forbid nothing. */
    private static final Set<String> NOTES = Set.of(
            "$schema",
            "$comment",
            "$vocabulary",
            "$defs",
            "definitions",
            "$anchor",
            "title",
            "description",
            "default",
            "examples",
            "deprecated",
            "readOnly",
            "writeOnly",
            "contentEncoding",
            "contentMediaType",
            "contentSchema");

    /** Keywords that combine schemas; {@link SchemaExpander} reads them, and those that belong to others. */
    private static final Set<String> COMBINING = Set.of(
            "allOf",
            "anyOf",
            "oneOf",
            "not",
            "if",
            "then",
            "else",
            "$ref",
            "dependentRequired",
            "dependentSchemas",
            "minContains",
            "maxContains");

    /** Where nothing is said. */
    static final Place ANYTHING = new Place("", BooleanNode.TRUE, false);

    private SchemaReader() {}

    /** Whether a keyword only tells people something. */
    static boolean isNote(String keyword) {
        return NOTES.contains(keyword) || keyword.startsWith("x-");
    }

    /**
     * What a schema asks, but for the keywords that combine others.
     *
     * @throws ConstraintException a keyword is not known, or can't be held
     */
    static Conjunction read(Place place) {
        JsonNode schema = place.schema();
        Conjunction all = Conjunction.ANY;
        Iterator<String> keywords = schema.fieldNames();
        while (keywords.hasNext()) {
            String keyword = keywords.next();
            if (!isNote(keyword) && !COMBINING.contains(keyword)) {
                all = all.and(read(place, keyword));
            }
        }
        if (schema.has("properties") || schema.has("patternProperties") || schema.has("additionalProperties")) {
            all = all.and(Conjunction.of(ObjectFacts.of(members(place))));
        }
        if (schema.has("prefixItems") || schema.has("items")) {
            all = all.and(Conjunction.of(ArrayFacts.of(items(place))));
        }
        return all;
    }

    /** What one keyword asks by itself. */
    static Conjunction read(Place place, String keyword) {
        JsonNode value = place.schema().path(keyword);
        return switch (keyword) {
            case "type" -> types(place, value);
            case "enum" -> Conjunction.of(list(place, keyword));
            case "const" -> Conjunction.of(List.of(value));
            case "minimum" -> Conjunction.of(NumberFacts.atLeast(number(place, keyword), false));
            case "exclusiveMinimum" -> Conjunction.of(NumberFacts.atLeast(number(place, keyword), true));
            case "maximum" -> Conjunction.of(NumberFacts.atMost(number(place, keyword), false));
            case "exclusiveMaximum" -> Conjunction.of(NumberFacts.atMost(number(place, keyword), true));
            case "multipleOf" -> Conjunction.of(NumberFacts.multipleOf(positive(place, keyword)));
            case "minLength" -> Conjunction.of(StringFacts.length(count(place, keyword), Regex.UNBOUNDED));
            case "maxLength" -> Conjunction.of(StringFacts.length(0, count(place, keyword)));
            case "pattern" -> Conjunction.of(StringFacts.matching(pattern(place, keyword, text(place, keyword))));
            case "format" -> StringFormats.read(place, text(place, keyword));
            case "properties", "patternProperties", "additionalProperties", "prefixItems", "items" -> Conjunction.ANY;
            case "required" -> Conjunction.of(ObjectFacts.having(names(place, keyword, value)));
            case "minProperties" -> Conjunction.of(ObjectFacts.size(count(place, keyword), Regex.UNBOUNDED));
            case "maxProperties" -> Conjunction.of(ObjectFacts.size(0, count(place, keyword)));
            case "propertyNames" -> Conjunction.of(ObjectFacts.named(place.child(keyword)));
            case "minItems" -> Conjunction.of(ArrayFacts.size(count(place, keyword), Regex.UNBOUNDED));
            case "maxItems" -> Conjunction.of(ArrayFacts.size(0, count(place, keyword)));
            case "uniqueItems" -> flag(place, keyword) ? Conjunction.of(ArrayFacts.UNIQUE) : Conjunction.ANY;
            case "contains" -> contains(place);
            case "unevaluatedProperties", "unevaluatedItems" -> {
                if (value.isBoolean() && value.booleanValue()) {
                    yield Conjunction.ANY;
                }
                throw place.refused(keyword, "use additionalProperties or items, and list what is allowed there");
            }
            case "$id" -> {
                if (place.pointer().equals("#")) {
                    yield Conjunction.ANY;
                }
                throw place.refused(keyword, "only the whole schema may have an $id");
            }
            case "additionalItems", "dependencies" ->
                throw place.refused(keyword, "it is of an older draft; write it as JSON Schema 2020-12 does");
            default -> throw place.refused(Place.shown(keyword), "it is not known");
        };
    }

    private static Conjunction types(Place place, JsonNode value) {
        List<JsonNode> names = new ArrayList<>();
        if (value.isArray()) {
            value.forEach(names::add);
        } else {
            names.add(value);
        }
        EnumSet<Type> types = EnumSet.noneOf(Type.class);
        boolean numbers = false;
        boolean integers = false;
        for (JsonNode name : names) {
            switch (name.asText()) {
                case "null" -> types.add(Type.NULL);
                case "boolean" -> types.addAll(EnumSet.of(Type.FALSE, Type.TRUE));
                case "number" -> numbers = true;
                case "integer" -> integers = true;
                case "string" -> types.add(Type.STRING);
                case "array" -> types.add(Type.ARRAY);
                case "object" -> types.add(Type.OBJECT);
                default -> throw place.refused("type", "'" + Place.shown(name.asText()) + "' is no type");
            }
        }
        if (numbers || integers) {
            types.add(Type.NUMBER);
        }
        Conjunction all = Conjunction.of(types);
        return integers && !numbers ? all.and(Conjunction.of(NumberFacts.INTEGER)) : all;
    }

    private static ObjectFacts.Part members(Place place) {
        JsonNode schema = place.schema();
        Map<String, Place> properties = children(place, "properties");
        Map<String, Place> patterns = children(place, "patternProperties");
        patterns.forEach((pattern, child) -> pattern(child, "patternProperties", pattern));
        Place additional = schema.has("additionalProperties") ? place.child("additionalProperties") : ANYTHING;
        return new ObjectFacts.Part(properties, patterns, additional);
    }

    private static Map<String, Place> children(Place place, String keyword) {
        JsonNode map = place.schema().path(keyword);
        if (!map.isObject() && !map.isMissingNode()) {
            throw place.refused(keyword, "it must be an object");
        }
        Map<String, Place> children = new LinkedHashMap<>();
        map.fieldNames().forEachRemaining(name -> children.put(name, place.child(keyword, name)));
        return children;
    }

    private static ArrayFacts.Part items(Place place) {
        JsonNode schema = place.schema();
        if (schema.path("items").isArray()) {
            throw place.refused("items", "it must be a schema; a list of schemas is prefixItems");
        }
        List<Place> prefix =
                schema.has("prefixItems") ? children(place, "prefixItems", "a list of schemas") : List.of();
        return new ArrayFacts.Part(prefix, schema.has("items") ? place.child("items") : ANYTHING);
    }

    /** The schemas in the list that a keyword has. */
    static List<Place> children(Place place, String keyword, String what) {
        JsonNode list = place.schema().path(keyword);
        if (!list.isArray() || list.isEmpty()) {
            throw place.refused(keyword, "it must be " + what);
        }
        List<Place> children = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            children.add(place.child(keyword, i));
        }
        return children;
    }

    private static Conjunction contains(Place place) {
        JsonNode min = place.schema().path("minContains");
        if (!min.isMissingNode() && min.asInt() != 1 || place.schema().has("maxContains")) {
            throw place.refused("contains", "only one such item can be asked for, without minContains and maxContains");
        }
        return Conjunction.of(ArrayFacts.containing(place.child("contains")));
    }

    private static Regex pattern(Place place, String keyword, String pattern) {
        try {
            return RegexParser.somewhere(pattern, JsonText::chars);
        } catch (ConstraintException e) {
            throw new ConstraintException(
                    "the keyword '" + keyword + "' at " + place.pointer() + " can't be used: " + e.getMessage());
        }
    }

    private static List<JsonNode> list(Place place, String keyword) {
        JsonNode list = place.schema().path(keyword);
        if (!list.isArray()) {
            throw place.refused(keyword, "it must be a list");
        }
        List<JsonNode> values = new ArrayList<>();
        list.forEach(values::add);
        return values;
    }

    /** The names in a list. */
    static Set<String> names(Place place, String keyword, JsonNode list) {
        Set<String> names = new LinkedHashSet<>();
        for (JsonNode name : list) {
            if (!name.isTextual()) {
                throw place.refused(keyword, "it must be a list of names");
            }
            names.add(name.textValue());
        }
        if (!list.isArray()) {
            throw place.refused(keyword, "it must be a list of names");
        }
        return names;
    }

    private static String text(Place place, String keyword) {
        JsonNode value = place.schema().path(keyword);
        if (!value.isTextual()) {
            throw place.refused(keyword, "it must be a string");
        }
        return value.textValue();
    }

    private static boolean flag(Place place, String keyword) {
        JsonNode value = place.schema().path(keyword);
        if (!value.isBoolean()) {
            throw place.refused(keyword, "it must be true or false");
        }
        return value.booleanValue();
    }

    private static BigDecimal number(Place place, String keyword) {
        JsonNode value = place.schema().path(keyword);
        if (!value.isNumber() || (value.isFloatingPointNumber() && !Double.isFinite(value.doubleValue()))) {
            throw place.refused(keyword, "it must be a number");
        }
        return value.decimalValue();
    }

    private static BigDecimal positive(Place place, String keyword) {
        BigDecimal value = number(place, keyword);
        if (value.signum() <= 0) {
            throw place.refused(keyword, "it must be above 0");
        }
        return value;
    }

    private static int count(Place place, String keyword) {
        BigDecimal value = number(place, keyword);
        if (value.signum() < 0 || value.stripTrailingZeros().scale() > 0) {
            throw place.refused(keyword, "it must be an integer from 0");
        }
        return value.min(BigDecimal.valueOf(Regex.INFINITE)).intValue();
    }
}
