package dev.penstock.prompt.constraint;

import java.util.Set;

/**
 * What is asked of a string.
 *
 * @param min least number of code points
 * @param max most code points; {@link Regex#UNBOUNDED} for no bound
 * @param patterns what its content must match, all of them, as {@link JsonText#chars} writes it
 * @param excluded what it must not be
 */
record StringFacts(int min, int max, Set<Regex> patterns, Set<String> excluded) {
    static final StringFacts ANY = new StringFacts(0, Regex.UNBOUNDED, Set.of(), Set.of());

    static StringFacts length(int min, int max) {
        return new StringFacts(min, max, Set.of(), Set.of());
    }

    static StringFacts matching(Regex pattern) {
        return new StringFacts(0, Regex.UNBOUNDED, Set.of(pattern), Set.of());
    }

    static StringFacts except(String text) {
        return new StringFacts(0, Regex.UNBOUNDED, Set.of(), Set.of(text));
    }

    StringFacts and(StringFacts other) {
        return new StringFacts(
                Math.max(min, other.min),
                Math.min(max, other.max),
                NumberFacts.union(patterns, other.patterns),
                NumberFacts.union(excluded, other.excluded));
    }

    /** What is between the quotes; {@link Regex#EMPTY} where nothing is as asked. */
    Regex content() {
        if (min > max) {
            return Regex.EMPTY;
        }
        boolean anyLength = min == 0 && max == Regex.UNBOUNDED;
        if (patterns.isEmpty() && excluded.isEmpty()) {
            return anyLength ? JsonText.ANY_CHARS : Regex.repeat(JsonText.ANY_CHAR, min, max);
        }
        Regex all = anyLength && !patterns.isEmpty()
                ? patterns.iterator().next()
                : Regex.repeat(JsonText.PLAIN_CHAR, min, max);
        for (Regex pattern : patterns) {
            all = Regex.and(all, pattern);
        }
        if (!excluded.isEmpty()) {
            all = Regex.and(
                    all,
                    Regex.not(
                            Regex.union(excluded.stream().map(JsonText::content).toList())));
        }
        return all;
    }

    /** Whether a string is as asked. */
    boolean allow(String text) {
        int length = text.codePointCount(0, text.length());
        return length >= min
                && length <= max
                && !excluded.contains(text)
                && patterns.stream().allMatch(p -> JsonText.matches(p, JsonText.plain(text)));
    }
}
