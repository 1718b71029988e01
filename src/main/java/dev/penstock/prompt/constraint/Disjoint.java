package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** Tells whether it is certain that no value satisfies two schemas. */
final class Disjoint {
    private static final int MAX_DEPTH = 8;

    private final SchemaCompiler compiler;

    Disjoint(SchemaCompiler compiler) {
        this.compiler = compiler;
    }

    /** Whether they are certainly disjoint; false where that can't be told. */
    boolean test(JsonNode first, JsonNode second, String where, int depth) {
        if (depth > MAX_DEPTH) {
            return false;
        }
        JsonNode a = compiler.merger().flat(first, where, 0);
        JsonNode b = compiler.merger().flat(second, where, 0);
        if (!a.isObject() || !b.isObject()) {
            return isNothing(a) || isNothing(b);
        }
        for (String keyword : new String[] {SchemaMerger.ANY_OFS, "oneOf"}) {
            if (a.has(keyword) || b.has(keyword)) {
                return overAlternatives(a, b, keyword, where, depth);
            }
        }
        if (a.has("enum")) {
            return noneAccepted(a.get("enum"), b, where);
        }
        if (b.has("enum")) {
            return noneAccepted(b.get("enum"), a, where);
        }
        for (String type : common(a, b, where)) {
            if (!ofType(type, a, b, where, depth)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isNothing(JsonNode schema) {
        return schema.isBoolean() && !schema.booleanValue();
    }

    private boolean overAlternatives(JsonNode a, JsonNode b, String keyword, String where, int depth) {
        JsonNode with = a.has(keyword) ? a : b;
        JsonNode other = a.has(keyword) ? b : a;
        JsonNode list = keyword.equals("oneOf") ? with.get(keyword) : with.get(keyword).get(0);
        for (JsonNode option : list) {
            if (!test(option, other, where, depth + 1)) {
                return false;
            }
        }
        return true;
    }

    private boolean noneAccepted(JsonNode values, JsonNode schema, String where) {
        if (schema.has("enum")) {
            Set<JsonNode> known = new HashSet<>();
            schema.get("enum").forEach(known::add);
            for (JsonNode value : values) {
                if (known.contains(value)) {
                    return false;
                }
            }
            return true;
        }
        Acceptance acceptance = Acceptance.of(compiler, schema, where);
        for (JsonNode value : values) {
            // Members of a listed object may stand in another order than the schema's.
            if (value.isObject() || acceptance.accepts(value)) {
                return false;
            }
        }
        return true;
    }

    private static Set<String> common(JsonNode a, JsonNode b, String where) {
        Set<String> first = explicit(a, where);
        Set<String> second = explicit(b, where);
        Set<String> common = new LinkedHashSet<>();
        for (String type : first) {
            if (second.contains(type) || (type.equals("integer") && second.contains("number"))) {
                common.add(type);
            } else if (type.equals("number") && second.contains("integer")) {
                common.add("integer");
            }
        }
        return common;
    }

    /** As the specification has it: what names no type allows all. Texts are made of those types alone that are mentioned. */
    private static Set<String> explicit(JsonNode schema, String where) {
        return SchemaCompiler.types(schema, where);
    }

    private boolean ofType(String type, JsonNode a, JsonNode b, String where, int depth) {
        return switch (type) {
            case "string" ->
                Regex.and(StringSchema.names(a, where), StringSchema.names(b, where))
                        .isEmpty();
            case "number" ->
                Regex.and(NumberSchema.compile(a, false, where), NumberSchema.compile(b, false, where))
                        .isEmpty();
            case "integer" ->
                Regex.and(NumberSchema.compile(a, true, where), NumberSchema.compile(b, true, where))
                        .isEmpty();
            case "object" -> objects(a, b, where, depth);
            default -> false;
        };
    }

    /** Objects are told apart by a member that one of them must have, and that no value satisfies in both. */
    private boolean objects(JsonNode a, JsonNode b, String where, int depth) {
        Set<String> required = new LinkedHashSet<>();
        a.path("required").forEach(name -> required.add(name.asText()));
        b.path("required").forEach(name -> required.add(name.asText()));
        for (String name : required) {
            JsonNode mine = member(a, name);
            JsonNode theirs = member(b, name);
            if (isNothing(mine) || isNothing(theirs) || test(mine, theirs, where + "/properties/" + name, depth + 1)) {
                return true;
            }
        }
        return false;
    }

    private static JsonNode member(JsonNode schema, String name) {
        for (Map.Entry<String, JsonNode> property : schema.path("properties").properties()) {
            if (property.getKey().equals(name)) {
                return property.getValue();
            }
        }
        JsonNode more = schema.path("additionalProperties");
        boolean known = !more.isMissingNode() && schema.path("patternProperties").isEmpty();
        return known ? more : BooleanNode.TRUE;
    }
}
