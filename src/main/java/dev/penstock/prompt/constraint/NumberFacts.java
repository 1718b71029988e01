package dev.penstock.prompt.constraint;

import java.math.BigDecimal;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is asked of a number.
 *
 * @param min the lower bound; null for none
 * @param max the upper bound; null for none
 * @param integral whether it must be an integer
 * @param multiples what it must be multiples of
 * @param others what it must be no multiples of
 * @param excluded what it must not be, without trailing zeros
 */
record NumberFacts(
        @Nullable Bound min,
        @Nullable Bound max,
        boolean integral,
        Set<BigDecimal> multiples,
        Set<BigDecimal> others,
        Set<BigDecimal> excluded) {
    /** A bound, which is allowed itself unless it is strict. */
    record Bound(BigDecimal value, boolean strict) {}

    static final NumberFacts ANY = new NumberFacts(null, null, false, Set.of(), Set.of(), Set.of());
    static final NumberFacts INTEGER = new NumberFacts(null, null, true, Set.of(), Set.of(), Set.of());

    static NumberFacts atLeast(BigDecimal value, boolean strict) {
        return new NumberFacts(new Bound(value, strict), null, false, Set.of(), Set.of(), Set.of());
    }

    static NumberFacts atMost(BigDecimal value, boolean strict) {
        return new NumberFacts(null, new Bound(value, strict), false, Set.of(), Set.of(), Set.of());
    }

    static NumberFacts multipleOf(BigDecimal value) {
        return new NumberFacts(null, null, false, Set.of(value.stripTrailingZeros()), Set.of(), Set.of());
    }

    static NumberFacts noMultipleOf(BigDecimal value) {
        return new NumberFacts(null, null, false, Set.of(), Set.of(value.stripTrailingZeros()), Set.of());
    }

    static NumberFacts except(BigDecimal value) {
        return new NumberFacts(null, null, false, Set.of(), Set.of(), Set.of(value.stripTrailingZeros()));
    }

    NumberFacts and(NumberFacts other) {
        return new NumberFacts(
                tighter(min, other.min, 1),
                tighter(max, other.max, -1),
                integral || other.integral,
                union(multiples, other.multiples),
                union(others, other.others),
                union(excluded, other.excluded));
    }

    private static @Nullable Bound tighter(@Nullable Bound a, @Nullable Bound b, int sign) {
        if (a == null || b == null) {
            return a == null ? b : a;
        }
        int compared = a.value().compareTo(b.value()) * sign;
        if (compared == 0) {
            return a.strict() ? a : b;
        }
        return compared > 0 ? a : b;
    }

    static <T> Set<T> union(Set<T> a, Set<T> b) {
        Set<T> all = new LinkedHashSet<>(a);
        all.addAll(b);
        return all;
    }

    /** Whether a number is as asked. */
    boolean allow(BigDecimal value) {
        return (min == null || value.compareTo(min.value()) >= (min.strict() ? 1 : 0))
                && (max == null || value.compareTo(max.value()) <= (max.strict() ? -1 : 0))
                && (!integral || value.stripTrailingZeros().scale() <= 0)
                && multiples.stream().allMatch(m -> value.remainder(m).signum() == 0)
                && others.stream().noneMatch(m -> value.remainder(m).signum() == 0)
                && !excluded.contains(value.stripTrailingZeros());
    }
}
