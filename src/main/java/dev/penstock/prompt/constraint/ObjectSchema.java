package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Objects under a schema: the members that it lists in its order, then others. Which names the others have had is not remembered, so
 * that of those only one counts towards {@code minProperties}: two might be the same.
 */
final class ObjectSchema {
    private static final int MAX_PATTERNS = 4;
    private static final int MAX_RULES = 20_000;

    private final SchemaCompiler compiler;
    private final JsonNode schema;
    private final String where;

    /** A listed member. */
    private record Member(List<Symbol> symbols, boolean required) {}

    private final List<Member> members = new ArrayList<>();
    private final List<List<Symbol>> others = new ArrayList<>();
    private final Map<Long, Rule> rules = new HashMap<>();
    private int min;
    private int max;

    ObjectSchema(SchemaCompiler compiler, JsonNode schema, String where) {
        this.compiler = compiler;
        this.schema = schema;
        this.where = where;
    }

    /** The objects. */
    List<Symbol> compile() {
        min = StringSchema.count(schema, "minProperties", 0, where);
        max = StringSchema.count(schema, "maxProperties", Regex.UNBOUNDED, where);
        findMembers();
        long required = members.stream().filter(Member::required).count();
        if (min > members.size() + (others.isEmpty() ? 0 : 1) && !others.isEmpty()) {
            throw new ConstraintException("'minProperties' at " + where
                    + " can't be enforced beyond the listed properties and one more: the names of others may repeat.");
        }
        min = min <= required ? 0 : min;
        max = max >= members.size() && others.isEmpty() ? Regex.UNBOUNDED : max;
        List<Symbol> all = new ArrayList<>();
        all.add(JsonText.OPEN_OBJECT);
        all.addAll(from(0, 0, false));
        all.add(JsonText.CLOSE_OBJECT);
        return all;
    }

    private void findMembers() {
        JsonNode properties = schema.path("properties");
        JsonNode patterns = schema.path("patternProperties");
        JsonNode more = schema.path("additionalProperties");
        if (more.isMissingNode()) {
            more = schema.has("unevaluatedProperties") ? schema.get("unevaluatedProperties") : BooleanNode.TRUE;
        }
        if (patterns.size() > MAX_PATTERNS) {
            throw new ConstraintException(
                    "'patternProperties' at " + where + " can be enforced up to " + MAX_PATTERNS + " only.");
        }
        if (!properties.isMissingNode() && !properties.isObject()) {
            throw new ConstraintException("'properties' at " + where + " must be an object.");
        }
        Map<String, Regex> names = new LinkedHashMap<>();
        patterns.properties()
                .forEach(e -> names.put(e.getKey(), RegexParser.somewhere(e.getKey(), JsonText::canonical)));
        JsonNode flatNames = compiler.merger().flat(schema.path("propertyNames"), where + "/propertyNames", 0);
        Regex allowed = schema.has("propertyNames")
                ? StringSchema.names(flatNames, where + "/propertyNames")
                : JsonText.CANONICAL_BODY;
        Set<String> required = new LinkedHashSet<>();
        schema.path("required").forEach(name -> required.add(name.asText()));
        Set<String> listed = new LinkedHashSet<>();
        properties.properties().forEach(e -> listed.add(e.getKey()));
        listed.addAll(required);
        for (String name : listed) {
            addMember(name, properties, names, more, allowed, required.contains(name));
        }
        addOthers(listed, names, more, allowed);
    }

    private void addMember(
            String name,
            JsonNode properties,
            Map<String, Regex> patterns,
            JsonNode more,
            Regex allowed,
            boolean required) {
        String place = where + "/properties/" + name;
        Regex key = Regex.and(JsonText.canonicalBody(name), allowed);
        JsonNode value = properties.path(name);
        boolean matched = !value.isMissingNode();
        value = matched ? value : BooleanNode.TRUE;
        for (Map.Entry<String, Regex> pattern : patterns.entrySet()) {
            if (!Regex.and(JsonText.canonicalBody(name), pattern.getValue()).isEmpty()) {
                value = SchemaCompiler.both(value, schema.path("patternProperties").get(pattern.getKey()));
                matched = true;
            }
        }
        List<Symbol> symbols = member(key, matched ? value : more, place);
        boolean never = key.isEmpty() || (value.isBoolean() && !value.booleanValue());
        if (!never || required) {
            members.add(new Member(never ? SchemaCompiler.nothing() : symbols, required));
        }
    }

    private List<Symbol> member(Regex key, JsonNode value, String place) {
        List<Symbol> symbols = new ArrayList<>();
        symbols.add(new Symbol.Lex(JsonText.quoted(key)));
        symbols.add(JsonText.COLON);
        symbols.addAll(compiler.value(value, place));
        return symbols;
    }

    /** Names that are not listed, by the patterns that they match. */
    private void addOthers(Set<String> listed, Map<String, Regex> patterns, JsonNode more, Regex allowed) {
        List<Regex> taken = listed.stream().map(JsonText::canonicalBody).toList();
        Regex free = taken.isEmpty() ? allowed : Regex.and(allowed, Regex.not(Regex.union(taken)));
        List<String> keys = List.copyOf(patterns.keySet());
        for (int which = 0; which < 1 << keys.size(); which++) {
            JsonNode value = which == 0 ? more : BooleanNode.TRUE;
            if (which == 0 && more.isBoolean() && !more.booleanValue()) {
                continue;
            }
            Regex key = free;
            for (int i = 0; i < keys.size(); i++) {
                Regex pattern = patterns.get(keys.get(i));
                boolean matches = (which >> i & 1) != 0;
                key = Regex.and(key, matches ? pattern : Regex.not(pattern));
                if (matches) {
                    value = SchemaCompiler.both(value, schema.path("patternProperties").get(keys.get(i)));
                }
            }
            if (!key.isEmpty()) {
                others.add(member(key, value, where + (which == 0 ? "/additionalProperties" : "/patternProperties")));
            }
        }
    }

    /**
     * What may stand from a listed member on.
     *
     * @param at the member
     * @param count members that stand before, as far as they have to be counted
     * @param begun whether any stands before
     */
    private List<Symbol> from(int at, int count, boolean begun) {
        if (at == members.size()) {
            return otherMembers(count, begun);
        }
        Member member = members.get(at);
        List<Symbol> with = new ArrayList<>();
        if (begun) {
            with.add(JsonText.COMMA);
        }
        with.addAll(member.symbols());
        boolean counting = min > 0 || max < Regex.UNBOUNDED;
        boolean room = max == Regex.UNBOUNDED || count < max;
        with.add(new Symbol.Ref(rule(at + 1, counting ? count + 1 : 0, true)));
        if (member.required()) {
            return room ? with : SchemaCompiler.nothing();
        }
        List<Symbol> without = List.of(new Symbol.Ref(rule(at + 1, count, begun)));
        return room ? SchemaCompiler.either(List.of(with, without)) : without;
    }

    private Rule rule(int at, int count, boolean begun) {
        long key = ((long) at << 32 | count) << 1 | (begun ? 1 : 0);
        Rule known = rules.get(key);
        if (known == null) {
            if (rules.size() == MAX_RULES) {
                throw new ConstraintException("the properties at " + where + " are too many to be counted.");
            }
            Rule rule = new Rule("members at " + where);
            rules.put(key, rule);
            rule.define(from(at, count, begun));
            known = rule;
        }
        return known;
    }

    private List<Symbol> otherMembers(int count, boolean begun) {
        int least = Math.max(0, min - count);
        int most = max == Regex.UNBOUNDED ? max : max - count;
        if (others.isEmpty() || most <= 0) {
            return least > 0 || most < 0 ? SchemaCompiler.nothing() : List.of();
        }
        if (least > 1) {
            return SchemaCompiler.nothing();
        }
        List<Symbol> member = SchemaCompiler.either(others);
        List<Symbol> more = new ArrayList<>(List.of(JsonText.COMMA));
        more.addAll(member);
        if (begun) {
            return List.of(new Symbol.Repeat(more, least, most));
        }
        List<Symbol> some = new ArrayList<>(member);
        some.add(new Symbol.Repeat(more, 0, most == Regex.UNBOUNDED ? most : most - 1));
        return List.of(new Symbol.Repeat(some, least, 1));
    }
}
