package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.NullNode;
import dev.penstock.prompt.constraint.Conjunction.Type;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a grammar of a JSON Schema (draft 2020-12): its texts are JSON values that are valid under it. A rule is what is valid under
 * some schemas at once, so that schemas which hold of the same member are merged as the grammar is made, recursive ones too.
 */
final class SchemaCompiler {
    /** What no text derives from. */
    static final List<Symbol> NOTHING = List.of(new Symbol.Lex(Regex.EMPTY));

    private static final int MAX_RULES = 20_000;
    private static final int MAX_REFERENCES = 200;

    private final SchemaExpander expander;
    private final Map<Set<Place>, Rule> rules = new HashMap<>();
    private final Deque<Task> work = new ArrayDeque<>();
    private final List<String> dead = new ArrayList<>();
    private String where = "#";

    /** What is left to do for the schema at a place. */
    private record Task(String where, Runnable work) {}

    private SchemaCompiler(JsonNode schema) {
        expander = new SchemaExpander(new SchemaDocument(schema));
    }

    /**
     * The symbols of a value that is valid under a schema.
     *
     * @throws ConstraintException the schema is none, or it can't be held, or nothing is valid under it
     */
    static List<Symbol> compile(JsonNode schema) {
        SchemaCompiler compiler = new SchemaCompiler(schema);
        List<Symbol> symbols = List.of(new Symbol.Ref(
                compiler.value(List.of(compiler.expander.document().root()))));
        while (!compiler.work.isEmpty()) {
            compiler.run(compiler.work.remove());
        }
        try {
            Grammar unused = new Grammar(symbols);
        } catch (ConstraintException e) {
            throw compiler.dead.isEmpty()
                    ? e
                    : new ConstraintException(
                            "nothing satisfies the schema: no value is valid at " + compiler.dead.getFirst() + ".");
        }
        return symbols;
    }

    SchemaExpander expander() {
        return expander;
    }

    /** Does something once what is going on is done. */
    void later(Runnable task) {
        work.add(new Task(where, task));
    }

    private void run(Task task) {
        where = task.where();
        try {
            task.work().run();
        } catch (ConstraintException e) {
            String message = String.valueOf(e.getMessage());
            throw message.contains(" at #") ? e : new ConstraintException("at " + where + ": " + message);
        }
    }

    /** The rule of what is valid under all of these schemas. */
    Rule value(Collection<Place> places) {
        Set<Place> targets = new LinkedHashSet<>();
        places.forEach(place -> targets.add(target(place)));
        targets.removeIf(Place::isAnything);
        Rule known = rules.get(targets);
        if (known != null) {
            return known;
        }
        if (rules.size() >= MAX_RULES) {
            throw new ConstraintException("the schema is too complex: it takes more than " + MAX_RULES + " rules.");
        }
        Rule rule = new Rule(
                targets.isEmpty()
                        ? "any value"
                        : String.valueOf(targets.iterator().next()));
        rules.put(targets, rule);
        work.add(new Task(
                targets.isEmpty() ? "#" : targets.iterator().next().pointer(), () -> rule.define(body(targets))));
        return rule;
    }

    /** Where references lead, from schemas that are nothing else. */
    private Place target(Place from) {
        Place place = from;
        for (int i = 0; i < MAX_REFERENCES; i++) {
            if (!isOnly(place, "$ref")) {
                return place;
            }
            Place target = expander.document().target(place);
            place = place.negated() ? target.not() : target;
        }
        throw from.refused("$ref", "it leads to itself, or through more than " + MAX_REFERENCES + " others");
    }

    /** Whether a keyword is the only one of a schema that asks something. */
    private static boolean isOnly(Place place, String keyword) {
        if (!place.schema().has(keyword)) {
            return false;
        }
        Iterator<String> keywords = place.schema().fieldNames();
        while (keywords.hasNext()) {
            String other = keywords.next();
            boolean id = other.equals("$id") && place.pointer().equals("#");
            if (!other.equals(keyword) && !id && !SchemaReader.isNote(other)) {
                return false;
            }
        }
        return true;
    }

    private List<Symbol> body(Set<Place> places) {
        if (places.size() == 1) {
            Place place = places.iterator().next();
            if (!place.negated() && isOnly(place, "anyOf")) {
                return List.of(new Symbol.Choice(SchemaReader.children(place, "anyOf", "a list of schemas").stream()
                        .map(branch -> List.<Symbol>of(new Symbol.Ref(value(List.of(branch)))))
                        .toList()));
            }
        }
        return alternatives(places);
    }

    private List<Symbol> alternatives(Set<Place> places) {
        Set<List<Symbol>> options = new LinkedHashSet<>();
        for (Conjunction asked : expander.all(places)) {
            List<JsonNode> values = asked.values();
            if (values == null) {
                asked.types().forEach(type -> options.add(ofType(type, asked)));
            } else {
                List<Regex> valid = values.stream()
                        .filter(value -> expander.checks().isValid(value, asked))
                        .map(JsonText::literal)
                        .toList();
                options.add(List.of(new Symbol.Lex(Regex.union(valid))));
            }
        }
        options.remove(NOTHING);
        if (options.isEmpty()) {
            dead.add(String.valueOf(places.iterator().next()));
            return NOTHING;
        }
        return options.size() == 1 ? options.iterator().next() : List.of(new Symbol.Choice(List.copyOf(options)));
    }

    private List<Symbol> ofType(Type type, Conjunction asked) {
        return switch (type) {
            case NULL -> List.of(new Symbol.Lex(Regex.literal("null")));
            case FALSE -> List.of(new Symbol.Lex(Regex.literal("false")));
            case TRUE -> List.of(new Symbol.Lex(Regex.literal("true")));
            case NUMBER -> List.of(new Symbol.Lex(NumberText.of(asked.number())));
            case STRING -> List.of(new Symbol.Lex(JsonText.quoted(asked.string().content())));
            case ARRAY -> ArraySymbols.of(this, asked.array());
            case OBJECT -> ObjectSymbols.of(this, asked.object());
        };
    }

    /** All values that are valid under these schemas; null if they are not listed. */
    @Nullable
    List<JsonNode> finite(List<Place> places) {
        List<JsonNode> all = new ArrayList<>();
        for (Conjunction asked : expander.all(places)) {
            List<JsonNode> values = asked.values();
            if (values == null) {
                values = new ArrayList<>();
                for (Type type : asked.types()) {
                    switch (type) {
                        case NULL -> values.add(NullNode.getInstance());
                        case FALSE -> values.add(BooleanNode.FALSE);
                        case TRUE -> values.add(BooleanNode.TRUE);
                        default -> {
                            return null;
                        }
                    }
                }
            }
            for (JsonNode value : values) {
                if (expander.checks().isValid(value, asked)
                        && all.stream().noneMatch(other -> Conjunction.same(other, value))) {
                    all.add(value);
                }
            }
        }
        return all;
    }
}
