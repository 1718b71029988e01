package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Turns a JSON Schema (draft 2020-12) into symbols that derive its valid documents: members in the schema's order, blanks as in
 * {@link JsonText}. What can't be held to is refused, naming keyword and place; keywords that no draft knows are notes, as the
 * specification has them.
 */
final class SchemaCompiler {
    private static final int MAX_SCHEMAS = 50_000;

    private static final Set<String> OBJECT_KEYWORDS = Set.of(
            "properties",
            "required",
            "additionalProperties",
            "patternProperties",
            "propertyNames",
            "minProperties",
            "maxProperties",
            "unevaluatedProperties");
    private static final Set<String> ARRAY_KEYWORDS =
            Set.of("items", "prefixItems", "minItems", "maxItems", "additionalItems", "unevaluatedItems");
    private static final Set<String> STRING_KEYWORDS =
            Set.of("minLength", "maxLength", SchemaMerger.PATTERNS, "format");
    private static final Set<String> NUMBER_KEYWORDS =
            Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf");

    /** Keywords that constrain, and that nothing here holds to. */
    private static final Set<String> REFUSED = Set.of(
            "not",
            "if",
            "then",
            "else",
            "contains",
            "minContains",
            "maxContains",
            "dependentRequired",
            "dependentSchemas",
            "dependencies",
            "$dynamicRef",
            "$recursiveRef");

    private static final List<String> TYPES =
            List.of("object", "array", "string", "number", "integer", "boolean", "null");

    private final SchemaRefs refs;
    private final SchemaMerger merger;
    private final Map<JsonNode, Rule> rules = new HashMap<>();
    private final List<Runnable> pending = new ArrayList<>();
    private int schemas;

    private SchemaCompiler(JsonNode root) {
        refs = new SchemaRefs(root);
        merger = new SchemaMerger(refs);
    }

    /**
     * The symbols of a schema's documents, one after the other.
     *
     * @throws ConstraintException it is no schema, or can't be enforced
     */
    static List<Symbol> compile(JsonNode schema) {
        SchemaCompiler compiler = new SchemaCompiler(schema);
        List<Symbol> symbols = compiler.value(schema, "#");
        // References are followed one at a time, lest long chains of them fill the stack.
        while (!compiler.pending.isEmpty()) {
            compiler.pending.removeLast().run();
        }
        return symbols;
    }

    SchemaMerger merger() {
        return merger;
    }

    /** The values of a schema. */
    List<Symbol> value(JsonNode schema, String where) {
        if (++schemas > MAX_SCHEMAS) {
            throw new ConstraintException("the schema takes more than " + MAX_SCHEMAS + " steps to read.");
        }
        if (schema.isBoolean()) {
            return schema.booleanValue() ? JsonText.any() : nothing();
        }
        if (!(schema instanceof ObjectNode object)) {
            throw new ConstraintException("at " + where + " there must be a schema: an object, true or false.");
        }
        if (isReference(object)) {
            return List.of(new Symbol.Ref(rule(refs.find(object.get("$ref").asText(), where), where)));
        }
        return flat(merger.flat(object, where, 0), where);
    }

    /** No value at all. */
    static List<Symbol> nothing() {
        return List.of(new Symbol.Choice(List.of()));
    }

    /** Whether a schema says nothing but what another says: only then may it lead back to itself. */
    private static boolean isReference(ObjectNode schema) {
        return schema.path("$ref").isTextual()
                && schema.properties().stream().allMatch(e -> e.getKey().equals("$ref") || !constrains(e.getKey()));
    }

    private static boolean constrains(String keyword) {
        return keyword.equals("type")
                || keyword.equals("enum")
                || keyword.equals("const")
                || keyword.equals("allOf")
                || keyword.equals("anyOf")
                || keyword.equals("oneOf")
                || keyword.equals("$ref")
                || keyword.equals("pattern")
                || keyword.equals("nullable")
                || keyword.equals("uniqueItems")
                || REFUSED.contains(keyword)
                || OBJECT_KEYWORDS.contains(keyword)
                || ARRAY_KEYWORDS.contains(keyword)
                || STRING_KEYWORDS.contains(keyword)
                || NUMBER_KEYWORDS.contains(keyword);
    }

    private Rule rule(JsonNode target, String where) {
        Rule known = rules.get(target);
        if (known == null) {
            Rule rule = new Rule("reference " + (rules.size() + 1));
            rules.put(target, rule);
            pending.add(() -> rule.define(value(target, where)));
            known = rule;
        }
        return known;
    }

    private List<Symbol> flat(JsonNode schema, String where) {
        if (schema.isBoolean()) {
            return schema.booleanValue() ? JsonText.any() : nothing();
        }
        ObjectNode object = (ObjectNode) schema;
        for (String keyword : REFUSED) {
            if (object.has(keyword)) {
                throw new ConstraintException("'" + keyword + "' at " + where + " can't be enforced.");
            }
        }
        if (object.has(SchemaMerger.ANY_OFS)) {
            return anyOf(object, where);
        }
        if (object.has("oneOf")) {
            return oneOf(object, where);
        }
        if (object.path("nullable").asBoolean(false)) {
            ObjectNode rest = object.deepCopy();
            rest.remove("nullable");
            return either(List.of(flat(rest, where), List.of(new Symbol.Lex(Regex.literal("null")))));
        }
        if (object.has("enum")) {
            return constants(object, where);
        }
        List<List<Symbol>> options = new ArrayList<>();
        for (String type : types(object, where)) {
            options.add(ofType(type, object, where));
        }
        return either(options);
    }

    static List<Symbol> either(List<List<Symbol>> options) {
        return options.size() == 1 ? options.getFirst() : List.of(new Symbol.Choice(options));
    }

    private List<Symbol> anyOf(ObjectNode schema, String where) {
        ObjectNode rest = schema.deepCopy();
        JsonNode lists = rest.remove(SchemaMerger.ANY_OFS);
        JsonNode first = lists.get(0);
        if (lists.size() > 1) {
            var others = rest.putArray(SchemaMerger.ANY_OFS);
            for (int i = 1; i < lists.size(); i++) {
                others.add(lists.get(i));
            }
        }
        return either(alternatives(rest, first, where + "/anyOf"));
    }

    /** What the rest of a schema and each of some alternatives allow together. */
    private List<List<Symbol>> alternatives(ObjectNode rest, JsonNode list, String where) {
        boolean alone = rest.properties().stream().noneMatch(e -> constrainsFlat(e.getKey()));
        List<List<Symbol>> options = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            String place = where + "/" + i;
            options.add(
                    alone
                            ? value(list.get(i), place)
                            : flat(merger.merge(rest, merger.flat(list.get(i), place, 0), place), place));
        }
        return options;
    }

    private static boolean constrainsFlat(String keyword) {
        return keyword.startsWith(" ") || constrains(keyword);
    }

    private List<Symbol> oneOf(ObjectNode schema, String where) {
        ObjectNode rest = schema.deepCopy();
        JsonNode list = rest.remove("oneOf");
        if (!list.isArray() || list.isEmpty()) {
            throw new ConstraintException("'oneOf' at " + where + " must be a list of schemas.");
        }
        Disjoint disjoint = new Disjoint(this);
        for (int i = 0; i < list.size(); i++) {
            for (int j = i + 1; j < list.size(); j++) {
                if (!disjoint.test(list.get(i), list.get(j), where, 0)) {
                    throw new ConstraintException("'oneOf' at " + where + " can't be enforced: a value may satisfy both "
                            + i + " and " + j + "; use anyOf, or tell them apart by a required const.");
                }
            }
        }
        return either(alternatives(rest, list, where + "/oneOf"));
    }

    /** The values that are listed and satisfy the rest. */
    private List<Symbol> constants(ObjectNode schema, String where) {
        ObjectNode rest = schema.deepCopy();
        JsonNode values = rest.remove("enum");
        if (!values.isArray()) {
            throw new ConstraintException("'enum' at " + where + " must be a list.");
        }
        boolean constrained = rest.properties().stream().anyMatch(e -> constrainsFlat(e.getKey()));
        Acceptance acceptance = constrained ? Acceptance.of(this, rest, where) : null;
        List<List<Symbol>> options = new ArrayList<>();
        for (JsonNode value : values) {
            if (acceptance == null || acceptance.accepts(value)) {
                options.add(JsonText.constant(value));
            }
        }
        return options.isEmpty() ? nothing() : either(options);
    }

    /** The types that a schema allows; where it names none, those that its keywords are about, or else all. */
    static Set<String> types(JsonNode schema, String where) {
        Set<String> types = new LinkedHashSet<>();
        JsonNode named = schema.path("type");
        if (named.isMissingNode()) {
            mentioned(schema, OBJECT_KEYWORDS, "object", types);
            mentioned(schema, ARRAY_KEYWORDS, "array", types);
            mentioned(schema, STRING_KEYWORDS, "string", types);
            mentioned(schema, NUMBER_KEYWORDS, "number", types);
            if (types.isEmpty()) {
                types.addAll(TYPES);
                types.remove("integer");
            }
            return types;
        }
        if (named.isTextual()) {
            types.add(named.textValue());
        }
        named.forEach(type -> types.add(type.asText()));
        if (!TYPES.containsAll(types)) {
            throw new ConstraintException("'type' at " + where + " must be of " + String.join(", ", TYPES) + ".");
        }
        if (types.contains("number")) {
            types.remove("integer");
        }
        return types;
    }

    private static void mentioned(JsonNode schema, Set<String> keywords, String type, Set<String> types) {
        if (keywords.stream().anyMatch(schema::has)) {
            types.add(type);
        }
    }

    private List<Symbol> ofType(String type, ObjectNode schema, String where) {
        return switch (type) {
            case "object" -> new ObjectSchema(this, schema, where).compile();
            case "array" -> new ArraySchema(this, schema, where).compile();
            case "string" -> List.of(new Symbol.Lex(StringSchema.compile(schema, where)));
            case "number" -> List.of(new Symbol.Lex(NumberSchema.compile(schema, false, where)));
            case "integer" -> List.of(new Symbol.Lex(NumberSchema.compile(schema, true, where)));
            case "boolean" -> List.of(new Symbol.Lex(Regex.union(Regex.literal("true"), Regex.literal("false"))));
            default -> List.of(new Symbol.Lex(Regex.literal("null")));
        };
    }

    /** Both of two schemas. */
    static JsonNode both(JsonNode a, JsonNode b) {
        if (SchemaMerger.isAny(a)) {
            return b;
        }
        if (SchemaMerger.isAny(b)) {
            return a;
        }
        ObjectNode both = JsonNodeFactory.instance.objectNode();
        both.putArray("allOf").add(a).add(b);
        return both;
    }

    /** Runs what references have left to do, for a part that is wanted by itself. */
    void finish() {
        while (!pending.isEmpty()) {
            pending.removeLast().run();
        }
    }
}
