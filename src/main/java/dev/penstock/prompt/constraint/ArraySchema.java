package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import java.util.ArrayList;
import java.util.List;

/** Arrays under a schema. */
final class ArraySchema {
    private static final int MAX_PREFIX = 1_000;

    private final SchemaCompiler compiler;
    private final JsonNode schema;
    private final String where;

    ArraySchema(SchemaCompiler compiler, JsonNode schema, String where) {
        this.compiler = compiler;
        this.schema = schema;
        this.where = where;
    }

    /** The arrays. */
    List<Symbol> compile() {
        if (schema.path("uniqueItems").asBoolean(false)) {
            throw new ConstraintException("'uniqueItems' at " + where + " can't be enforced.");
        }
        JsonNode prefix = schema.path("prefixItems");
        JsonNode items = schema.path("items");
        if (items.isArray()) {
            // As drafts before 2020-12 wrote it.
            prefix = items;
            items = schema.path("additionalItems");
        }
        if (items.isMissingNode()) {
            items = schema.has("unevaluatedItems") ? schema.get("unevaluatedItems") : BooleanNode.TRUE;
        }
        if (prefix.size() > MAX_PREFIX) {
            throw new ConstraintException("'prefixItems' at " + where + " has more than " + MAX_PREFIX + " entries.");
        }
        int min = StringSchema.count(schema, "minItems", 0, where);
        int max = StringSchema.count(schema, "maxItems", Regex.UNBOUNDED, where);
        if (items.isBoolean() && !items.booleanValue()) {
            max = Math.min(max, prefix.size());
        }
        if (max < min) {
            return SchemaCompiler.nothing();
        }
        List<Symbol> rest = max > prefix.size() ? compiler.value(items, where + "/items") : List.of();
        List<Symbol> tail = max > prefix.size() ? more(rest, min - prefix.size(), max, prefix.size()) : List.of();
        List<List<Symbol>> first = new ArrayList<>();
        for (int i = prefix.size() - 1; i >= 0; i--) {
            if (i < max) {
                List<Symbol> element = compiler.value(prefix.get(i), where + "/prefixItems/" + i);
                List<Symbol> here = joined(i == 0 ? List.of() : List.of(JsonText.COMMA), element, tail);
                tail = i >= min ? List.of(new Symbol.Repeat(here, 0, 1)) : here;
            }
        }
        List<Symbol> all = tail;
        if (prefix.isEmpty() && max > 0) {
            List<Symbol> some =
                    joined(List.of(), rest, more(rest, min - 1, max == Regex.UNBOUNDED ? max : max - 1, 0));
            all = min > 0 ? some : List.of(new Symbol.Repeat(some, 0, 1));
        } else if (prefix.isEmpty()) {
            all = List.of();
        }
        first.add(joined(List.of(JsonText.OPEN_ARRAY), all, List.of(JsonText.CLOSE_ARRAY)));
        return first.getFirst();
    }

    private static List<Symbol> more(List<Symbol> item, int min, int max, int before) {
        int most = max == Regex.UNBOUNDED ? max : max - before;
        return List.of(new Symbol.Repeat(joined(List.of(JsonText.COMMA), item, List.of()), Math.max(0, min), most));
    }

    private static List<Symbol> joined(List<Symbol> a, List<Symbol> b, List<Symbol> c) {
        List<Symbol> all = new ArrayList<>(a);
        all.addAll(b);
        all.addAll(c);
        return all;
    }
}
