package dev.penstock.prompt.constraint;

import dev.penstock.prompt.constraint.NumberFacts.Bound;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Numbers of JSON as regular expressions. Numbers with conditions have no exponent, and no more digits than a double tells apart, so
 * that every reader sees them on the same side of a bound.
 */
final class NumberText {
    /** Digits of an integer: any of so many fits 64 bits. */
    private static final int INTEGER_DIGITS = 18;

    /** Decimal digits that a double holds. */
    private static final int DOUBLE_DIGITS = 15;

    /** Digits before the point where there may be others behind it, the rest of those that a double holds. */
    private static final int[] WHOLE_DIGITS = {1, 3, 6, 9, 12};

    /** Bounds beyond this many digits are not held. */
    private static final int MAX_DIGITS = 40;

    private static final int MAX_REMAINDERS = 2000;

    private static final Regex DIGIT = Regex.range('0', '9');
    private static final Regex DIGITS = Regex.repeat(DIGIT, 0, Regex.UNBOUNDED);
    private static final Regex POINT = Regex.literal(".");
    private static final Regex SIGN = Regex.literal("-");
    private static final Regex FRACTION =
            Regex.union(Regex.EPSILON, Regex.concat(POINT, Regex.repeat(DIGIT, 1, Regex.UNBOUNDED)));

    /** Any integer. */
    static final Regex INTEGER =
            Regex.union(Regex.literal("0"), Regex.concat(optional(SIGN), natural(INTEGER_DIGITS, 1)));

    /** Any number; all of them are finite as doubles. */
    static final Regex NUMBER = Regex.concat(
            optional(SIGN),
            natural(INTEGER_DIGITS, 0),
            optional(Regex.concat(POINT, Regex.repeat(DIGIT, 1, 2 * INTEGER_DIGITS))),
            optional(Regex.concat(Regex.union(Regex.literal("e"), Regex.literal("E")), exponent())));

    private NumberText() {}

    private static Regex optional(Regex regex) {
        return Regex.union(Regex.EPSILON, regex);
    }

    private static Regex exponent() {
        Regex upTo99 = Regex.repeat(DIGIT, 1, 2);
        Regex upTo289 = Regex.union(
                Regex.concat(Regex.literal("1"), DIGIT, DIGIT),
                Regex.concat(Regex.literal("2"), Regex.range('0', '8'), DIGIT));
        return Regex.concat(Regex.union(Regex.EPSILON, Regex.literal("+"), SIGN), Regex.union(upTo99, upTo289));
    }

    /** An integer of at most so many digits, from 0 or from 1. */
    private static Regex natural(int digits, int from) {
        Regex positive = Regex.concat(Regex.range('1', '9'), Regex.repeat(DIGIT, 0, digits - 1));
        return from == 0 ? Regex.union(Regex.literal("0"), positive) : positive;
    }

    /** The texts of the numbers that are as asked; {@link Regex#EMPTY} if none is. */
    static Regex of(NumberFacts facts) {
        if (facts.equals(NumberFacts.ANY)) {
            return NUMBER;
        }
        if (facts.equals(NumberFacts.INTEGER)) {
            return INTEGER;
        }
        Bound min = facts.min();
        Bound max = facts.max();
        if (facts.integral()) {
            min = min == null ? null : ceiling(min);
            max = max == null ? null : negated(ceiling(negated(max)));
        }
        List<Regex> signs = new ArrayList<>();
        if (max == null || max.value().signum() >= 0) {
            signs.add(magnitudes(facts, min == null || min.value().signum() < 0 ? null : min, max, false));
        }
        if (min == null || min.value().signum() < 0) {
            Bound least = max == null || max.value().signum() >= 0 ? new Bound(BigDecimal.ZERO, true) : negated(max);
            Bound most = min == null ? null : negated(min);
            signs.add(Regex.concat(SIGN, magnitudes(facts, least, most, true)));
        }
        return Regex.union(signs);
    }

    /** The least integer within a lower bound, as one. */
    private static Bound ceiling(Bound bound) {
        BigDecimal whole = bound.value().setScale(0, RoundingMode.CEILING);
        boolean next = bound.strict() && whole.compareTo(bound.value()) == 0;
        return new Bound(next ? whole.add(BigDecimal.ONE) : whole, false);
    }

    private static Bound negated(Bound bound) {
        return new Bound(bound.value().negate(), bound.strict());
    }

    /** What stands behind the sign. */
    private static Regex magnitudes(NumberFacts facts, @Nullable Bound min, @Nullable Bound max, boolean negative) {
        int needed = min == null ? 1 : whole(min.value()).length() + 1;
        if (needed > MAX_DIGITS) {
            throw new ConstraintException("a bound of a number is beyond 10^" + MAX_DIGITS + ".");
        }
        boolean exact = facts.integral()
                && facts.multiples().isEmpty()
                && facts.others().isEmpty();
        int digits = Math.max(needed, exact ? INTEGER_DIGITS : DOUBLE_DIGITS);
        Regex all = natural(digits, 0);
        if (!facts.integral()) {
            List<Regex> shapes = new ArrayList<>(List.of(all));
            for (int whole : WHOLE_DIGITS) {
                shapes.add(Regex.concat(natural(whole, 0), POINT, Regex.repeat(DIGIT, 1, DOUBLE_DIGITS - whole)));
            }
            all = Regex.union(shapes);
        }
        if (min != null) {
            all = Regex.and(all, atLeast(min));
        }
        if (max != null && whole(max.value()).length() <= digits) {
            all = Regex.and(all, atMost(max));
        }
        for (BigDecimal multiple : facts.multiples()) {
            all = Regex.and(all, multiplesOf(multiple));
        }
        for (BigDecimal other : facts.others()) {
            all = Regex.and(all, Regex.not(multiplesOf(other)));
        }
        for (BigDecimal excluded : facts.excluded()) {
            if (excluded.signum() < 0 == negative) {
                all = Regex.and(all, Regex.not(spellings(excluded.abs())));
            }
        }
        return all;
    }

    private static String whole(BigDecimal value) {
        return value.toBigInteger().toString();
    }

    /** Digits behind the point, without zeros at the end. */
    private static String fraction(BigDecimal value) {
        BigDecimal rest = value.remainder(BigDecimal.ONE).stripTrailingZeros();
        return rest.signum() == 0 ? "" : rest.toPlainString().substring(2);
    }

    private static Regex spellings(BigDecimal value) {
        String fraction = fraction(value);
        Regex zeros = Regex.repeat(Regex.literal("0"), 0, Regex.UNBOUNDED);
        return fraction.isEmpty()
                ? Regex.concat(Regex.literal(whole(value)), optional(Regex.concat(POINT, Regex.literal("0"), zeros)))
                : Regex.concat(Regex.literal(whole(value) + "." + fraction), zeros);
    }

    /** Numbers without sign and without zeros before them, of any length, that are at or above a bound. */
    private static Regex atLeast(Bound bound) {
        String whole = whole(bound.value());
        String fraction = fraction(bound.value());
        Regex positive = Regex.concat(DIGITS, Regex.range('1', '9'), DIGITS);
        Regex rest = bound.strict() ? positive : DIGITS;
        for (int i = fraction.length() - 1; i >= 0; i--) {
            char digit = fraction.charAt(i);
            rest = Regex.union(
                    Regex.concat(Regex.range(digit + 1, '9'), DIGITS), Regex.concat(Regex.range(digit, digit), rest));
        }
        Regex all = !fraction.isEmpty() || bound.strict() ? Regex.concat(POINT, rest) : FRACTION;
        for (int i = whole.length() - 1; i >= 0; i--) {
            char digit = whole.charAt(i);
            int left = whole.length() - 1 - i;
            all = Regex.union(
                    Regex.concat(Regex.range(digit + 1, '9'), Regex.repeat(DIGIT, left, left), FRACTION),
                    Regex.concat(Regex.range(digit, digit), all));
        }
        return Regex.union(all, Regex.concat(Regex.repeat(DIGIT, whole.length() + 1, Regex.UNBOUNDED), FRACTION));
    }

    /** The same at or below a bound. */
    private static Regex atMost(Bound bound) {
        String whole = whole(bound.value());
        String fraction = fraction(bound.value());
        Regex zeros = Regex.repeat(Regex.literal("0"), 0, Regex.UNBOUNDED);
        Regex rest = bound.strict() ? Regex.EMPTY : zeros;
        for (int i = fraction.length() - 1; i >= 0; i--) {
            char digit = fraction.charAt(i);
            rest = Regex.union(
                    i == 0 ? Regex.EMPTY : Regex.EPSILON,
                    Regex.concat(Regex.range('0', digit - 1), DIGITS),
                    Regex.concat(Regex.range(digit, digit), rest));
        }
        Regex all;
        if (fraction.isEmpty()) {
            all = bound.strict() ? Regex.EMPTY : optional(Regex.concat(POINT, Regex.literal("0"), zeros));
        } else {
            all = optional(Regex.concat(POINT, rest));
        }
        for (int i = whole.length() - 1; i >= 0; i--) {
            char digit = whole.charAt(i);
            int left = whole.length() - 1 - i;
            all = Regex.union(
                    Regex.concat(Regex.range('0', digit - 1), Regex.repeat(DIGIT, left, left), FRACTION),
                    Regex.concat(Regex.range(digit, digit), all));
        }
        return whole.length() == 1
                ? all
                : Regex.union(all, Regex.concat(Regex.repeat(DIGIT, 1, whole.length() - 1), FRACTION));
    }

    /** The same that are multiples: an automaton of the remainder, and of how many digits stand behind the point. */
    private static Regex multiplesOf(BigDecimal multiple) {
        int scale = Math.max(0, multiple.scale());
        BigInteger unscaled = multiple.setScale(scale).unscaledValue();
        if (unscaled.compareTo(BigInteger.valueOf(MAX_REMAINDERS)) > 0 || scale > DOUBLE_DIGITS) {
            throw new ConstraintException("multipleOf " + multiple.toPlainString() + " can't be held: it must have "
                    + "at most " + DOUBLE_DIGITS + " digits behind the point and be at most " + MAX_REMAINDERS
                    + " of its last one.");
        }
        int modulus = unscaled.intValue();
        // State: how many digits are behind the point, plus one once it is there, and the remainder of the digits so
        // far.
        return ByteDfa.of(
                modulus * (scale + 2),
                (state, b) -> {
                    int behind = state / modulus;
                    int remainder = state % modulus;
                    if (b == '.') {
                        return behind == 0 ? modulus + remainder : -1;
                    }
                    if (b < '0' || b > '9') {
                        return -1;
                    }
                    int after = (remainder * 10 + (b - '0')) % modulus;
                    if (behind == 0) {
                        return after;
                    }
                    return behind <= scale ? (behind + 1) * modulus + after : b == '0' ? state : -1;
                },
                state -> {
                    int left = scale - Math.max(0, state / modulus - 1);
                    BigInteger remainder = BigInteger.valueOf(state % modulus);
                    return remainder
                                    .multiply(BigInteger.TEN.pow(left))
                                    .mod(unscaled)
                                    .signum()
                            == 0;
                });
    }
}
