package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Writes schemas as alternatives of which each is a conjunction: references, and the keywords that combine schemas, are gone. */
final class SchemaExpander {
    private static final int MAX_ALTERNATIVES = 1000;
    private static final int MAX_STEPS = 100_000;
    private static final int MAX_DEPTH = 400;

    private final SchemaDocument document;
    private final SchemaChecks checks = new SchemaChecks(this);
    private final Map<Place, List<Conjunction>> known = new HashMap<>();
    private final Set<Place> open = new HashSet<>();
    private int steps;

    SchemaExpander(SchemaDocument document) {
        this.document = document;
    }

    SchemaDocument document() {
        return document;
    }

    SchemaChecks checks() {
        return checks;
    }

    /** What is valid under all of these schemas. */
    List<Conjunction> all(Collection<Place> places) {
        List<Conjunction> all = List.of(Conjunction.ANY);
        for (Place place : places) {
            all = product(all, of(place), place);
        }
        return all;
    }

    /**
     * What is valid under a schema.
     *
     * @throws ConstraintException a keyword can't be held, or there are too many alternatives
     */
    List<Conjunction> of(Place place) {
        List<Conjunction> found = known.get(place);
        if (found != null) {
            return found;
        }
        if (open.size() > MAX_DEPTH || !open.add(place)) {
            throw new ConstraintException(
                    "the schema at " + place.pointer() + " leads to itself with no value in between.");
        }
        try {
            found = place.schema().isBoolean()
                    ? (place.isNothing() ? List.of() : List.of(Conjunction.ANY))
                    : place.negated() ? new SchemaNegation(this).of(place) : expand(place);
        } finally {
            open.remove(place);
        }
        known.put(place, found);
        return found;
    }

    private List<Conjunction> expand(Place place) {
        JsonNode schema = place.schema();
        List<Conjunction> all = product(List.of(Conjunction.ANY), List.of(SchemaReader.read(place)), place);
        if (schema.has("$ref")) {
            all = product(all, of(document.target(place)), place);
        }
        if (schema.has("allOf")) {
            for (Place part : SchemaReader.children(place, "allOf", "a list of schemas")) {
                all = product(all, of(part), place);
            }
        }
        if (schema.has("not")) {
            all = product(all, of(place.child("not").not()), place);
        }
        if (schema.has("dependentRequired")) {
            all = dependentRequired(all, place);
        }
        if (schema.has("dependentSchemas")) {
            for (String name : fieldNames(place, "dependentSchemas")) {
                List<Conjunction> either = new ArrayList<>(of(place.child("dependentSchemas", name)));
                either.add(Conjunction.of(ObjectFacts.without(name)));
                all = product(all, either, place);
            }
        }
        if (schema.has("if")) {
            all = product(all, conditional(place), place);
        }
        if (schema.has("anyOf")) {
            List<Conjunction> any = new ArrayList<>();
            for (Place part : SchemaReader.children(place, "anyOf", "a list of schemas")) {
                any.addAll(of(part));
            }
            all = product(all, any, place);
        }
        return schema.has("oneOf") ? oneOf(all, place) : all;
    }

    private List<Conjunction> dependentRequired(List<Conjunction> before, Place place) {
        List<Conjunction> all = before;
        for (String name : fieldNames(place, "dependentRequired")) {
            Set<String> wanted = SchemaReader.names(
                    place,
                    "dependentRequired",
                    place.schema().path("dependentRequired").path(name));
            all = product(
                    all,
                    List.of(Conjunction.of(ObjectFacts.having(wanted)), Conjunction.of(ObjectFacts.without(name))),
                    place);
        }
        return all;
    }

    private static List<String> fieldNames(Place place, String keyword) {
        JsonNode map = place.schema().path(keyword);
        if (!map.isObject()) {
            throw place.refused(keyword, "it must be an object");
        }
        List<String> names = new ArrayList<>();
        map.fieldNames().forEachRemaining(names::add);
        return names;
    }

    private List<Conjunction> conditional(Place place) {
        Place condition = place.child("if");
        boolean then = place.schema().has("then");
        boolean otherwise = place.schema().has("else");
        if (!then && !otherwise) {
            return List.of(Conjunction.ANY);
        }
        List<Conjunction> all = new ArrayList<>(of(condition));
        if (then) {
            all = new ArrayList<>(product(all, of(place.child("then")), place));
        }
        List<Conjunction> not = of(condition.not());
        all.addAll(otherwise ? product(not, of(place.child("else")), place) : not);
        return all;
    }

    private List<Conjunction> oneOf(List<Conjunction> before, Place place) {
        List<Place> branches = SchemaReader.children(place, "oneOf", "a list of schemas");
        List<Conjunction> all = new ArrayList<>();
        for (Place branch : branches) {
            List<Conjunction> only = product(before, of(branch), place);
            for (Place other : branches) {
                if (!branch.equals(other) && !areDisjoint(only, of(other), place)) {
                    only = product(only, notOther(place, branch, other), place);
                }
            }
            all.addAll(only);
        }
        return all;
    }

    private boolean areDisjoint(List<Conjunction> some, List<Conjunction> others, Place place) {
        return product(some, others, place).stream().allMatch(checks::isEmpty);
    }

    private List<Conjunction> notOther(Place place, Place branch, Place other) {
        try {
            return of(other.not());
        } catch (ConstraintException e) {
            throw place.refused(
                    "oneOf",
                    "a value may be valid under both " + branch.pointer() + " and " + other.pointer()
                            + "; use anyOf, or tell them apart by a required property with a const");
        }
    }

    /** What is valid under both, without what is plainly impossible. */
    List<Conjunction> product(List<Conjunction> a, List<Conjunction> b, Place place) {
        steps += a.size() * b.size();
        if (steps > MAX_STEPS) {
            throw new ConstraintException("the schema is too complex: at " + place.pointer()
                    + " there are too many combinations of its parts.");
        }
        Set<Conjunction> all = new LinkedHashSet<>();
        for (Conjunction x : a) {
            for (Conjunction y : b) {
                Conjunction both = x.and(y);
                if (!both.types().isEmpty()) {
                    all.add(both);
                }
            }
        }
        if (all.size() > MAX_ALTERNATIVES) {
            throw new ConstraintException("the schema is too complex: at " + place.pointer() + " there are more than "
                    + MAX_ALTERNATIVES + " alternatives.");
        }
        return List.copyOf(all);
    }
}
