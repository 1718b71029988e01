package dev.penstock.prompt.constraint;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What is asked of an array.
 *
 * @param parts what the schemas that are held at once say of items, each by itself
 * @param min least number of items
 * @param max most items; {@link Regex#UNBOUNDED} for no bound
 * @param unique whether no two may be equal
 * @param contained schemas of which each must have an item that is valid under it
 */
record ArrayFacts(Set<Part> parts, int min, int max, boolean unique, Set<Place> contained) {
    /**
     * What one schema says of items.
     *
     * @param prefix of the first ones, one each
     * @param rest of all others
     */
    record Part(List<Place> prefix, Place rest) {}

    static final ArrayFacts ANY = new ArrayFacts(Set.of(), 0, Regex.UNBOUNDED, false, Set.of());
    static final ArrayFacts UNIQUE = new ArrayFacts(Set.of(), 0, Regex.UNBOUNDED, true, Set.of());

    static ArrayFacts of(Part part) {
        return new ArrayFacts(Set.of(part), 0, Regex.UNBOUNDED, false, Set.of());
    }

    static ArrayFacts size(int min, int max) {
        return new ArrayFacts(Set.of(), min, max, false, Set.of());
    }

    static ArrayFacts containing(Place place) {
        return new ArrayFacts(Set.of(), 1, Regex.UNBOUNDED, false, Set.of(place));
    }

    ArrayFacts and(ArrayFacts other) {
        return new ArrayFacts(
                NumberFacts.union(parts, other.parts),
                Math.max(min, other.min),
                Math.min(max, other.max),
                unique || other.unique,
                NumberFacts.union(contained, other.contained));
    }

    /** Items that have schemas of their own. */
    int prefix() {
        return parts.stream().mapToInt(part -> part.prefix().size()).max().orElse(0);
    }

    /** Schemas of an item. */
    List<Place> placesOf(int index) {
        Set<Place> places = new LinkedHashSet<>();
        for (Part part : parts) {
            places.add(index < part.prefix().size() ? part.prefix().get(index) : part.rest());
        }
        return places.stream().filter(place -> !place.isAnything()).toList();
    }

    /** Most items, where items that nothing is valid for count. */
    int most() {
        for (int i = 0; i <= prefix(); i++) {
            if (i >= max || placesOf(i).stream().anyMatch(Place::isNothing)) {
                return Math.min(i, max);
            }
        }
        return max;
    }
}
