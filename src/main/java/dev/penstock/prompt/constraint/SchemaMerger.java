package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * Makes one schema of several that all have to hold: what {@code allOf} says, and what stands beside {@code $ref} and {@code anyOf}.
 * Several patterns are kept in a list under {@link #PATTERNS}, and several lists of alternatives under {@link #ANY_OFS}.
 */
final class SchemaMerger {
    /** A keyword of our own: patterns that all have to match. */
    static final String PATTERNS = " patterns";

    /** A keyword of our own: lists of schemas, of each of which one has to hold. */
    static final String ANY_OFS = " anyOfs";

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final int MAX_DEPTH = 64;
    private static final int MAX_MERGES = 20_000;

    private final SchemaRefs refs;
    private int merges;

    SchemaMerger(SchemaRefs refs) {
        this.refs = refs;
    }

    /** The same schema without {@code $ref} and {@code allOf} at its top, and without {@code anyOf} of its own keyword. */
    JsonNode flat(JsonNode schema, String where, int depth) {
        if (!(schema instanceof ObjectNode object)) {
            return schema;
        }
        if (depth > MAX_DEPTH) {
            throw new ConstraintException("at " + where + " $ref and allOf lead to themselves without end.");
        }
        ObjectNode own = object.deepCopy();
        JsonNode result = own;
        JsonNode ref = own.remove("$ref");
        JsonNode all = own.remove("allOf");
        JsonNode any = own.remove("anyOf");
        JsonNode pattern = own.remove("pattern");
        if (pattern != null) {
            ArrayNode patterns = own.putArray(PATTERNS);
            patterns.add(text(pattern, "pattern", where));
        }
        if (any != null) {
            own.putArray(ANY_OFS).add(list(any, "anyOf", where));
        }
        if (own.has("const")) {
            JsonNode only = own.remove("const");
            ArrayNode values = NODES.arrayNode().add(only);
            JsonNode listed = own.get("enum");
            own.set("enum", listed instanceof ArrayNode given ? common(given, values) : values);
        }
        if (ref != null) {
            String name = text(ref, "$ref", where);
            result = merge(flat(refs.find(name, where), where, depth + 1), result, where);
        }
        if (all != null) {
            for (JsonNode part : list(all, "allOf", where)) {
                result = merge(result, flat(part, where + "/allOf", depth + 1), where);
            }
        }
        return result;
    }

    private static String text(JsonNode value, String keyword, String where) {
        if (!value.isTextual()) {
            throw new ConstraintException("'" + keyword + "' at " + where + " must be a string.");
        }
        return value.textValue();
    }

    private static ArrayNode list(JsonNode value, String keyword, String where) {
        if (!(value instanceof ArrayNode array) || array.isEmpty()) {
            throw new ConstraintException("'" + keyword + "' at " + where + " must be a list of schemas.");
        }
        return array;
    }

    /** What satisfies both of two flat schemas. */
    JsonNode merge(JsonNode a, JsonNode b, String where) {
        if (++merges > MAX_MERGES) {
            throw new ConstraintException("it takes more than " + MAX_MERGES + " merges of schemas.");
        }
        if (isAny(a)) {
            return b;
        }
        if (isAny(b)) {
            return a;
        }
        if (!(a instanceof ObjectNode first) || !(b instanceof ObjectNode second)) {
            return NODES.booleanNode(false);
        }
        ObjectNode both = first.deepCopy();
        mergeMembers(first, second, both, where);
        for (Map.Entry<String, JsonNode> field : second.properties()) {
            String keyword = field.getKey();
            JsonNode theirs = field.getValue();
            JsonNode mine = first.get(keyword);
            if (MEMBERS.contains(keyword)) {
                continue;
            }
            both.set(keyword, mine == null || mine.equals(theirs) ? theirs : one(keyword, mine, theirs, where));
        }
        return both;
    }

    private static final Set<String> MEMBERS = Set.of("properties", "additionalProperties", "patternProperties");

    static boolean isAny(JsonNode schema) {
        return schema.isBoolean() ? schema.booleanValue() : schema.isEmpty();
    }

    private JsonNode one(String keyword, JsonNode a, JsonNode b, String where) {
        return switch (keyword) {
            case "type" -> types(a, b);
            case "enum" -> common(a, b);
            case "required", PATTERNS, ANY_OFS -> together(a, b);
            case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties" -> larger(a, b) ? a : b;
            case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties" -> larger(a, b) ? b : a;
            case "items", "propertyNames" -> both(a, b, where);
            case "prefixItems" -> prefixes(a, b, where);
            case "title", "description", "default", "examples", "$schema", "$id", "$comment", "$defs", "definitions",
                    "deprecated", "readOnly", "writeOnly", "$anchor", "nullable", "x-order" -> a;
            default ->
                throw new ConstraintException(
                        "'" + keyword + "' stands several times at " + where + ", and the values can't be merged.");
        };
    }

    private static boolean larger(JsonNode a, JsonNode b) {
        return new BigDecimal(a.asText("0")).compareTo(new BigDecimal(b.asText("0"))) > 0;
    }

    /** What satisfies both of two schemas that may not be flat. */
    private JsonNode both(JsonNode a, JsonNode b, String where) {
        return isAny(a) ? b : isAny(b) || a.equals(b) ? a : NODES.objectNode().set("allOf", NODES.arrayNode().add(a).add(b));
    }

    private static JsonNode types(JsonNode a, JsonNode b) {
        Set<String> first = names(a);
        Set<String> second = names(b);
        ArrayNode both = NODES.arrayNode();
        for (String type : first) {
            if (second.contains(type) || (type.equals("integer") && second.contains("number"))) {
                both.add(type);
            } else if (type.equals("number") && second.contains("integer")) {
                both.add("integer");
            }
        }
        return both;
    }

    private static Set<String> names(JsonNode types) {
        Set<String> names = new LinkedHashSet<>();
        if (types.isTextual()) {
            names.add(types.textValue());
        }
        types.forEach(type -> names.add(type.asText()));
        return names;
    }

    private static ArrayNode common(JsonNode a, JsonNode b) {
        ArrayNode common = NODES.arrayNode();
        for (JsonNode value : a) {
            for (JsonNode other : b) {
                if (value.equals(other)) {
                    common.add(value);
                    break;
                }
            }
        }
        return common;
    }

    private static ArrayNode together(JsonNode a, JsonNode b) {
        Set<JsonNode> all = new LinkedHashSet<>();
        a.forEach(all::add);
        b.forEach(all::add);
        return NODES.arrayNode().addAll(all);
    }

    private JsonNode prefixes(JsonNode a, JsonNode b, String where) {
        if (a.size() != b.size()) {
            throw new ConstraintException("'prefixItems' at " + where + " are merged with others of another length.");
        }
        ArrayNode all = NODES.arrayNode();
        for (int i = 0; i < a.size(); i++) {
            all.add(both(a.get(i), b.get(i), where));
        }
        return all;
    }

    /** Properties hold the other schema's rule for names that it does not list. */
    private void mergeMembers(ObjectNode a, ObjectNode b, ObjectNode both, String where) {
        if (MEMBERS.stream().noneMatch(keyword -> a.has(keyword) || b.has(keyword))) {
            return;
        }
        ObjectNode properties = NODES.objectNode();
        Set<String> names = new LinkedHashSet<>();
        a.path("properties").properties().forEach(e -> names.add(e.getKey()));
        b.path("properties").properties().forEach(e -> names.add(e.getKey()));
        for (String name : names) {
            properties.set(name, both(member(a, name), member(b, name), where));
        }
        if (!properties.isEmpty()) {
            both.set("properties", properties);
        }
        JsonNode patternsA = a.path("patternProperties");
        JsonNode patternsB = b.path("patternProperties");
        if (!patternsA.isEmpty() && !patternsB.isEmpty()
                || (!patternsA.isEmpty() && !isAny(b.path("additionalProperties")) && b.has("additionalProperties"))
                || (!patternsB.isEmpty() && !isAny(a.path("additionalProperties")) && a.has("additionalProperties"))) {
            throw new ConstraintException("'patternProperties' at " + where + " can't be merged with another schema's.");
        }
        if (!patternsB.isEmpty()) {
            both.set("patternProperties", patternsB);
        }
        JsonNode more = a.path("additionalProperties");
        JsonNode others = b.path("additionalProperties");
        if (more.isMissingNode() || others.isMissingNode()) {
            if (!others.isMissingNode()) {
                both.set("additionalProperties", others);
            }
        } else {
            both.set("additionalProperties", both(more, others, where));
        }
    }

    private static JsonNode member(ObjectNode schema, String name) {
        JsonNode own = schema.path("properties").path(name);
        if (!own.isMissingNode()) {
            return own;
        }
        JsonNode more = schema.path("additionalProperties");
        return more.isMissingNode() || !schema.path("patternProperties").isEmpty() ? NODES.booleanNode(true) : more;
    }
}
