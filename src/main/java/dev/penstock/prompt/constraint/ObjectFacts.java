package dev.penstock.prompt.constraint;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What is asked of an object.
 *
 * @param parts what the schemas that are held at once say of members, each by itself
 * @param required names that it must have
 * @param forbidden names that it must not have
 * @param min least number of members
 * @param max most members; {@link Regex#UNBOUNDED} for no bound
 * @param names schemas that hold of each name
 */
record ObjectFacts(Set<Part> parts, Set<String> required, Set<String> forbidden, int min, int max, Set<Place> names) {
    /**
     * What one schema says of members.
     *
     * @param properties by name
     * @param patterns by pattern
     * @param additional of all others
     */
    record Part(Map<String, Place> properties, Map<String, Place> patterns, Place additional) {}

    /**
     * Members that schemas say nothing by name of.
     *
     * @param name what the content of the name is
     * @param places schemas of the value
     */
    record FreeMember(Regex name, List<Place> places) {}

    private static final int MAX_PATTERNS = 6;

    static final ObjectFacts ANY = new ObjectFacts(Set.of(), Set.of(), Set.of(), 0, Regex.UNBOUNDED, Set.of());

    static ObjectFacts of(Part part) {
        return new ObjectFacts(Set.of(part), Set.of(), Set.of(), 0, Regex.UNBOUNDED, Set.of());
    }

    static ObjectFacts having(Set<String> required) {
        return new ObjectFacts(Set.of(), required, Set.of(), 0, Regex.UNBOUNDED, Set.of());
    }

    static ObjectFacts without(String name) {
        return new ObjectFacts(Set.of(), Set.of(), Set.of(name), 0, Regex.UNBOUNDED, Set.of());
    }

    static ObjectFacts size(int min, int max) {
        return new ObjectFacts(Set.of(), Set.of(), Set.of(), min, max, Set.of());
    }

    static ObjectFacts named(Place names) {
        return new ObjectFacts(Set.of(), Set.of(), Set.of(), 0, Regex.UNBOUNDED, Set.of(names));
    }

    ObjectFacts and(ObjectFacts other) {
        return new ObjectFacts(
                NumberFacts.union(parts, other.parts),
                NumberFacts.union(required, other.required),
                NumberFacts.union(forbidden, other.forbidden),
                Math.max(min, other.min),
                Math.min(max, other.max),
                NumberFacts.union(names, other.names));
    }

    /** Names that are spoken of, in order: the schemas' own, then those that are only required. */
    Set<String> spokenOf() {
        Set<String> all = new LinkedHashSet<>();
        parts.forEach(part -> all.addAll(part.properties().keySet()));
        all.addAll(required);
        all.removeAll(forbidden);
        return all;
    }

    /** Schemas of the member of a name. */
    List<Place> placesOf(String name) {
        String plain = JsonText.plain(name);
        Set<Place> places = new LinkedHashSet<>();
        for (Part part : parts) {
            boolean found = part.properties().containsKey(name);
            if (found) {
                places.add(part.properties().get(name));
            }
            for (Map.Entry<String, Place> pattern : part.patterns().entrySet()) {
                if (JsonText.matches(regex(pattern.getKey()), plain)) {
                    places.add(pattern.getValue());
                    found = true;
                }
            }
            if (!found) {
                places.add(part.additional());
            }
        }
        return meaning(places);
    }

    /**
     * Members of other names than those spoken of, by the patterns that their names match; none that nothing is valid for.
     *
     * @param allowed what names have to be like
     */
    List<FreeMember> free(Regex allowed) {
        Map<String, Regex> patterns = new LinkedHashMap<>();
        parts.forEach(part -> part.patterns().keySet().forEach(p -> patterns.put(p, regex(p))));
        if (patterns.size() > MAX_PATTERNS) {
            throw new ConstraintException("more than " + MAX_PATTERNS + " patternProperties hold of one object.");
        }
        List<String> order = List.copyOf(patterns.keySet());
        Set<String> taken = new LinkedHashSet<>(spokenOf());
        taken.addAll(forbidden);
        List<FreeMember> members = new ArrayList<>();
        for (int subset = 0; subset < 1 << order.size(); subset++) {
            Set<String> matched = new LinkedHashSet<>();
            for (int i = 0; i < order.size(); i++) {
                if ((subset >> i & 1) != 0) {
                    matched.add(order.get(i));
                }
            }
            List<Place> places = placesOf(matched);
            if (places.stream().anyMatch(Place::isNothing)) {
                continue;
            }
            Regex name = allowed;
            for (String pattern : order) {
                Regex regex = patterns.getOrDefault(pattern, Regex.EMPTY);
                name = Regex.and(name, matched.contains(pattern) ? regex : Regex.not(regex));
            }
            if (!taken.isEmpty()) {
                name = Regex.and(
                        name,
                        Regex.not(Regex.union(
                                taken.stream().map(JsonText::content).toList())));
            }
            if (!name.isEmpty()) {
                members.add(new FreeMember(name, places));
            }
        }
        return members;
    }

    private List<Place> placesOf(Set<String> matched) {
        Set<Place> places = new LinkedHashSet<>();
        for (Part part : parts) {
            boolean found = false;
            for (Map.Entry<String, Place> pattern : part.patterns().entrySet()) {
                if (matched.contains(pattern.getKey())) {
                    places.add(pattern.getValue());
                    found = true;
                }
            }
            if (!found) {
                places.add(part.additional());
            }
        }
        return meaning(places);
    }

    private static List<Place> meaning(Set<Place> places) {
        return places.stream().filter(place -> !place.isAnything()).toList();
    }

    private static Regex regex(String pattern) {
        return RegexParser.somewhere(pattern, JsonText::chars);
    }
}
