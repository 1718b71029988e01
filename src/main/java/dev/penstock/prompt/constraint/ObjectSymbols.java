package dev.penstock.prompt.constraint;

import dev.penstock.prompt.constraint.ObjectFacts.FreeMember;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The grammar of an object: named members in the schema's order, each at most once, then all others. */
final class ObjectSymbols {
    private static final int MAX_STATES = 20_000;

    private final SchemaCompiler compiler;
    private final ObjectFacts facts;
    private final List<String> names;
    private final List<FreeMember> free;
    /** Members are counted up to here; more make no difference. */
    private final int counted;

    private final Map<Long, Rule> rules = new HashMap<>();

    private ObjectSymbols(SchemaCompiler compiler, ObjectFacts facts) {
        this.compiler = compiler;
        this.facts = facts;
        SchemaChecks checks = compiler.expander().checks();
        names = facts.spokenOf().stream()
                .filter(name -> facts.required().contains(name) || checks.isValidName(name, facts.names()))
                .toList();
        free = facts.free(freeName(compiler, facts.names()));
        boolean bounded = facts.max() < names.size() || (facts.max() != Regex.UNBOUNDED && !free.isEmpty());
        counted = bounded
                ? Math.max(facts.min(), facts.max())
                : facts.min() > facts.required().size() ? facts.min() : 1;
    }

    /** The symbols; those of nothing where no object is as asked. */
    static List<Symbol> of(SchemaCompiler compiler, ObjectFacts facts) {
        Set<String> required = facts.required();
        SchemaChecks checks = compiler.expander().checks();
        if (facts.min() > facts.max()
                || required.stream()
                        .anyMatch(
                                name -> facts.forbidden().contains(name) || !checks.isValidName(name, facts.names()))) {
            return SchemaCompiler.NOTHING;
        }
        ObjectSymbols object = new ObjectSymbols(compiler, facts);
        return List.of(
                new Symbol.Lex(JsonText.OBJECT_BEGIN),
                new Symbol.Ref(object.rule(0, 0)),
                new Symbol.Lex(JsonText.OBJECT_END));
    }

    private static Regex freeName(SchemaCompiler compiler, Set<Place> names) {
        if (names.isEmpty()) {
            return JsonText.ANY_PLAIN;
        }
        List<Regex> options = new ArrayList<>();
        for (Conjunction asked : compiler.expander().all(names)) {
            if (!asked.types().contains(Conjunction.Type.STRING)) {
                continue;
            }
            if (asked.values() == null) {
                options.add(Regex.and(asked.string().content(), JsonText.ANY_PLAIN));
            } else {
                asked.values().stream()
                        .filter(value -> value.isTextual()
                                && compiler.expander().checks().isValid(value, asked))
                        .forEach(value -> options.add(JsonText.content(value.textValue())));
            }
        }
        return Regex.union(options);
    }

    /** What comes from the name at an index on, after so many members. */
    private Rule rule(int index, int count) {
        long key = (long) index << Integer.SIZE | count;
        Rule known = rules.get(key);
        if (known != null) {
            return known;
        }
        if (rules.size() >= MAX_STATES) {
            throw new ConstraintException("an object has too many members to count them.");
        }
        Rule rule = new Rule("members");
        rules.put(key, rule);
        compiler.later(() ->
                rule.define(index < names.size() ? named(index, count) : List.of(new Symbol.Choice(others(count)))));
        return rule;
    }

    private List<Symbol> named(int index, int count) {
        String name = names.get(index);
        List<List<Symbol>> options = new ArrayList<>();
        if (count < facts.max()) {
            List<Symbol> member = new ArrayList<>(member(JsonText.content(name), facts.placesOf(name), count > 0));
            member.add(new Symbol.Ref(rule(index + 1, Math.min(counted, count + 1))));
            options.add(member);
        }
        if (!facts.required().contains(name)) {
            options.add(List.of(new Symbol.Ref(rule(index + 1, count))));
        }
        return List.of(new Symbol.Choice(options));
    }

    private List<List<Symbol>> others(int count) {
        int least = Math.max(0, facts.min() - count);
        int most = facts.max() == Regex.UNBOUNDED ? facts.max() : facts.max() - count;
        if (free.isEmpty() || most == 0) {
            return least == 0 && most >= 0 ? List.of(List.of()) : List.of();
        }
        if (least > 1) {
            throw new ConstraintException("minProperties " + facts.min()
                    + " can't be held where names are free, as they may come twice: name and require more properties.");
        }
        List<List<Symbol>> options = new ArrayList<>();
        if (count > 0) {
            options.add(List.of(new Symbol.Repeat(List.of(new Symbol.Choice(freeMembers(true))), least, most)));
            return options;
        }
        if (least == 0) {
            options.add(List.of());
        }
        options.add(List.of(
                new Symbol.Choice(freeMembers(false)),
                new Symbol.Repeat(
                        List.of(new Symbol.Choice(freeMembers(true))), 0, most == Regex.UNBOUNDED ? most : most - 1)));
        return options;
    }

    private List<List<Symbol>> freeMembers(boolean comma) {
        return free.stream()
                .map(member -> member(member.name(), member.places(), comma))
                .toList();
    }

    private List<Symbol> member(Regex name, List<Place> places, boolean comma) {
        Regex start = comma ? JsonText.COMMA : Regex.EPSILON;
        return List.of(
                new Symbol.Lex(Regex.concat(start, JsonText.name(name))), new Symbol.Ref(compiler.value(places)));
    }
}
