package dev.penstock.prompt.constraint;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Numbers between bounds as regular expressions over their digits, written without an exponent. */
final class NumberRanges {
    private static final Regex ANY_DIGITS = Regex.repeat(JsonText.DIGIT, 0, 18);
    private static final BigInteger LARGEST = BigInteger.TEN.pow(18).subtract(BigInteger.ONE);

    private NumberRanges() {}

    /** A bound: a number that is the least or the greatest one, or is just outside. */
    record Bound(BigDecimal value, boolean exclusive) {}

    /** Integers between bounds; null for none. */
    static Regex integers(@Nullable Bound min, @Nullable Bound max) {
        BigInteger least = min == null ? LARGEST.negate() : ceiling(min);
        BigInteger most = max == null ? LARGEST : floor(max);
        least = least.max(LARGEST.negate());
        most = most.min(LARGEST);
        List<Regex> options = new ArrayList<>();
        if (most.signum() >= 0) {
            options.add(naturals(least.max(BigInteger.ZERO), most));
        }
        if (least.signum() < 0) {
            options.add(Regex.concat(
                    Regex.literal("-"), naturals(most.negate().max(BigInteger.ONE), least.negate())));
        }
        return Regex.union(options);
    }

    private static BigInteger ceiling(Bound bound) {
        BigInteger up = bound.value().setScale(0, java.math.RoundingMode.CEILING).toBigInteger();
        boolean itself = bound.exclusive() && new BigDecimal(up).compareTo(bound.value()) == 0;
        return itself ? up.add(BigInteger.ONE) : up;
    }

    private static BigInteger floor(Bound bound) {
        BigInteger down = bound.value().setScale(0, java.math.RoundingMode.FLOOR).toBigInteger();
        boolean itself = bound.exclusive() && new BigDecimal(down).compareTo(bound.value()) == 0;
        return itself ? down.subtract(BigInteger.ONE) : down;
    }

    /** Numbers from {@code least} to {@code most}, neither of them negative. */
    private static Regex naturals(BigInteger least, BigInteger most) {
        if (least.compareTo(most) > 0) {
            return Regex.EMPTY;
        }
        List<Regex> options = new ArrayList<>();
        String from = least.toString();
        String to = most.toString();
        for (int digits = from.length(); digits <= to.length(); digits++) {
            String lo = digits == from.length() ? from : "1" + "0".repeat(digits - 1);
            String hi = digits == to.length() ? to : "9".repeat(digits);
            options.add(sameLength(lo, hi, 0));
        }
        return Regex.union(options);
    }

    private static Regex sameLength(String lo, String hi, int at) {
        if (isAll(lo, at, '0') && isAll(hi, at, '9')) {
            return Regex.repeat(JsonText.DIGIT, lo.length() - at, lo.length() - at);
        }
        char from = lo.charAt(at);
        char to = hi.charAt(at);
        int rest = lo.length() - at - 1;
        if (from == to) {
            return Regex.concat(Regex.range(from, from), sameLength(lo, hi, at + 1));
        }
        List<Regex> options = new ArrayList<>();
        options.add(Regex.concat(Regex.range(from, from), sameLength(lo, "9".repeat(hi.length()), at + 1)));
        options.add(Regex.concat(Regex.range(to, to), sameLength("0".repeat(lo.length()), hi, at + 1)));
        if (from + 1 < to) {
            options.add(Regex.concat(
                    Regex.range(from + 1, to - 1), Regex.repeat(JsonText.DIGIT, rest, rest)));
        }
        return Regex.union(options);
    }

    private static boolean isAll(String digits, int from, char digit) {
        return digits.chars().skip(from).allMatch(c -> c == digit);
    }

    /** Numbers with or without a fraction between bounds, at least one of which there is. */
    static Regex decimals(@Nullable Bound min, @Nullable Bound max) {
        Regex all = Regex.union(
                absolutes(min, max), Regex.concat(Regex.literal("-"), absolutes(negated(max), negated(min))));
        return all;
    }

    private static @Nullable Bound negated(@Nullable Bound bound) {
        return bound == null ? null : new Bound(bound.value().negate(), bound.exclusive());
    }

    /** Those that are not negative, without a sign. */
    private static Regex absolutes(@Nullable Bound min, @Nullable Bound max) {
        Regex any = Regex.concat(JsonText.NATURAL, Regex.repeat(JsonText.FRACTION, 0, 1));
        if (max != null && (max.value().signum() < 0 || (max.value().signum() == 0 && max.exclusive()))) {
            return Regex.EMPTY;
        }
        Regex all = any;
        if (min != null && (min.value().signum() > 0 || (min.value().signum() == 0 && min.exclusive()))) {
            all = Regex.and(all, atLeast(min));
        }
        return max == null ? all : Regex.and(all, atMost(max));
    }

    private static Regex atLeast(Bound bound) {
        BigInteger whole = bound.value().toBigInteger();
        Regex above = Regex.concat(
                naturals(whole.add(BigInteger.ONE), LARGEST), Regex.repeat(JsonText.FRACTION, 0, 1));
        String fraction = fraction(bound.value());
        Regex same = Regex.literal(whole.toString());
        Regex digits = more(fraction, 0, bound.exclusive());
        Regex with = Regex.concat(same, Regex.literal("."), Regex.and(digits, Regex.repeat(JsonText.DIGIT, 1, 18)));
        boolean itself = fraction.isEmpty() && !bound.exclusive();
        return Regex.union(above, with, itself ? same : Regex.EMPTY);
    }

    private static Regex atMost(Bound bound) {
        BigInteger whole = bound.value().toBigInteger();
        Regex below = whole.signum() == 0
                ? Regex.EMPTY
                : Regex.concat(
                        naturals(BigInteger.ZERO, whole.subtract(BigInteger.ONE)), Regex.repeat(JsonText.FRACTION, 0, 1));
        String fraction = fraction(bound.value());
        Regex same = Regex.literal(whole.toString());
        Regex digits = less(fraction, 0, bound.exclusive());
        Regex with = Regex.concat(same, Regex.literal("."), Regex.and(digits, Regex.repeat(JsonText.DIGIT, 1, 18)));
        boolean itself = !fraction.isEmpty() || !bound.exclusive();
        return Regex.union(below, with, itself ? same : Regex.EMPTY);
    }

    /** The digits after the point, without zeros at the end. */
    private static String fraction(BigDecimal value) {
        BigDecimal rest = value.remainder(BigDecimal.ONE).stripTrailingZeros();
        String plain = rest.toPlainString();
        int point = plain.indexOf('.');
        return point < 0 ? "" : plain.substring(point + 1);
    }

    /** Digits of fractions that are at least, or more than, this one's from a place on. */
    private static Regex more(String fraction, int at, boolean exclusive) {
        if (at == fraction.length()) {
            Regex zeros = Regex.repeat(Regex.literal("0"), 0, 18);
            return exclusive ? Regex.concat(zeros, Regex.range('1', '9'), ANY_DIGITS) : ANY_DIGITS;
        }
        char digit = fraction.charAt(at);
        Regex same = Regex.concat(Regex.range(digit, digit), more(fraction, at + 1, exclusive));
        return digit == '9' ? same : Regex.union(same, Regex.concat(Regex.range(digit + 1, '9'), ANY_DIGITS));
    }

    /** Digits of fractions that are at most, or less than, this one's from a place on. */
    private static Regex less(String fraction, int at, boolean exclusive) {
        if (at == fraction.length()) {
            return exclusive ? Regex.EMPTY : Regex.repeat(Regex.literal("0"), 0, 18);
        }
        char digit = fraction.charAt(at);
        Regex same = Regex.concat(Regex.range(digit, digit), less(fraction, at + 1, exclusive));
        Regex lower = digit == '0'
                ? Regex.EMPTY
                : Regex.concat(Regex.range('0', digit - 1), ANY_DIGITS);
        return Regex.union(Regex.EPSILON, same, lower);
    }
}
