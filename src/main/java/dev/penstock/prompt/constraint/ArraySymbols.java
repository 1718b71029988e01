package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The grammar of an array. */
final class ArraySymbols {
    /** Sets of values that are used up are states, two to the power of this at most. */
    private static final int MAX_UNIQUE = 10;

    private static final int MAX_CONTAINING = 32;

    private final SchemaCompiler compiler;
    private final ArrayFacts facts;
    private final int max;

    private ArraySymbols(SchemaCompiler compiler, ArrayFacts facts) {
        this.compiler = compiler;
        this.facts = facts;
        max = facts.most();
    }

    /** The symbols; those of nothing where no array is as asked. */
    static List<Symbol> of(SchemaCompiler compiler, ArrayFacts facts) {
        ArraySymbols array = new ArraySymbols(compiler, facts);
        if (facts.min() > array.max) {
            return SchemaCompiler.NOTHING;
        }
        List<Symbol> all = new ArrayList<>();
        all.add(new Symbol.Lex(JsonText.ARRAY_BEGIN));
        all.addAll(array.items());
        all.add(new Symbol.Lex(JsonText.ARRAY_END));
        return all;
    }

    private List<Symbol> items() {
        boolean unique = facts.unique() && max > 1;
        if (!facts.contained().isEmpty()) {
            if (unique || facts.contained().size() > 1 || facts.prefix() > 0) {
                throw new ConstraintException(
                        "contains can't be held beside uniqueItems, prefixItems or another contains.");
            }
            return containing(facts.contained().iterator().next());
        }
        return unique ? unique() : from(0);
    }

    /** From the item at an index on, in the order of their schemas. */
    private List<Symbol> from(int index) {
        if (index >= max) {
            return List.of();
        }
        int prefix = facts.prefix();
        if (index >= prefix) {
            List<Symbol> item = List.of(item(index, true));
            if (index > 0) {
                return List.of(repeat(item, facts.min() - index, less(max, index)));
            }
            return optional(facts.min() == 0, List.of(item(0, false), repeat(more(0), facts.min() - 1, less(max, 1))));
        }
        Rule rest = new Rule("items");
        compiler.later(() -> rest.define(from(index + 1)));
        List<Symbol> some = new ArrayList<>(index > 0 ? List.of(new Symbol.Lex(JsonText.COMMA)) : List.of());
        some.add(item(index, false));
        some.add(new Symbol.Ref(rest));
        return optional(facts.min() <= index, some);
    }

    private Symbol item(int index, boolean comma) {
        Symbol value = new Symbol.Ref(compiler.value(facts.placesOf(index)));
        return comma ? new Symbol.Choice(List.of(List.of(new Symbol.Lex(JsonText.COMMA), value))) : value;
    }

    private List<Symbol> more(int index) {
        return List.of(item(index, true));
    }

    private static Symbol repeat(List<Symbol> items, int min, int max) {
        return new Symbol.Repeat(items, Math.max(0, min), max);
    }

    private static int less(int max, int by) {
        return max == Regex.UNBOUNDED ? max : max - by;
    }

    private static List<Symbol> optional(boolean optional, List<Symbol> symbols) {
        return optional ? List.of(new Symbol.Choice(List.of(List.of(), symbols))) : symbols;
    }

    /** Any items, one that is wanted, and any again. */
    private List<Symbol> containing(Place wanted) {
        List<Place> places = new ArrayList<>(facts.placesOf(0));
        places.add(wanted);
        Symbol hit = new Symbol.Ref(compiler.value(places));
        Symbol comma = new Symbol.Lex(JsonText.COMMA);
        List<Symbol> before = List.of(item(0, false), comma);
        if (facts.min() <= 1 && max == Regex.UNBOUNDED) {
            return List.of(repeat(before, 0, max), hit, repeat(more(0), 0, max));
        }
        int places0 = max == Regex.UNBOUNDED ? facts.min() : max;
        if (places0 > MAX_CONTAINING) {
            throw new ConstraintException(
                    "contains can't be held beside minItems or maxItems above " + MAX_CONTAINING + ".");
        }
        List<List<Symbol>> options = new ArrayList<>();
        for (int at = 0; at < places0; at++) {
            boolean open = max == Regex.UNBOUNDED && at == places0 - 1;
            options.add(List.of(
                    repeat(before, at, open ? Regex.UNBOUNDED : at),
                    hit,
                    repeat(more(0), facts.min() - 1 - at, less(max, at + 1))));
        }
        return List.of(new Symbol.Choice(options));
    }

    private List<Symbol> unique() {
        List<JsonNode> values = facts.prefix() == 0 ? compiler.finite(facts.placesOf(0)) : null;
        if (values == null || values.size() > MAX_UNIQUE) {
            throw new ConstraintException("uniqueItems can't be held, but for items that are one of at most "
                    + MAX_UNIQUE + " values by enum or const.");
        }
        return List.of(new Symbol.Ref(unique(values, 0, new HashMap<>())));
    }

    /** What may follow where some values are used up, a bit each. */
    private Rule unique(List<JsonNode> values, int used, Map<Integer, Rule> rules) {
        Rule known = rules.get(used);
        if (known != null) {
            return known;
        }
        Rule rule = new Rule("unique items");
        rules.put(used, rule);
        int count = Integer.bitCount(used);
        List<List<Symbol>> options = new ArrayList<>();
        if (count >= facts.min()) {
            options.add(List.of());
        }
        for (int i = 0; i < values.size() && count < max; i++) {
            if ((used >> i & 1) == 0) {
                Regex value = JsonText.literal(values.get(i));
                options.add(List.of(
                        new Symbol.Lex(count > 0 ? Regex.concat(JsonText.COMMA, value) : value),
                        new Symbol.Ref(unique(values, used | 1 << i, rules))));
            }
        }
        rule.define(List.of(new Symbol.Choice(options)));
        return rule;
    }
}
