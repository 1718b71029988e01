package dev.penstock.model;

import java.math.BigDecimal;
import java.math.RoundingMode;

/**
 * An amount in billionths of a US dollar. Sums and products stop at the largest amount instead of wrapping round, so
 * that what is too much to count stays too much to pay.
 *
 * @param nanoUsd billionths of a dollar; may be negative
 */
public record Money(long nanoUsd) implements Comparable<Money> {
    /** Nothing. */
    public static final Money ZERO = new Money(0);

    /** More than anyone pays. */
    public static final Money MAX = new Money(Long.MAX_VALUE);

    private static final BigDecimal NANOS = BigDecimal.valueOf(1_000_000_000L);

    /** An amount of dollars, rounded to billionths; {@link #MAX} or its opposite where it is too large. */
    public static Money ofUsd(BigDecimal usd) {
        BigDecimal nanos = usd.multiply(NANOS).setScale(0, RoundingMode.HALF_EVEN);
        BigDecimal limit = BigDecimal.valueOf(Long.MAX_VALUE);
        return new Money(nanos.min(limit).max(limit.negate()).longValueExact());
    }

    /** An amount reckoned in floating point; NaN is {@link #MAX}: what can't be reckoned is not cheap. */
    public static Money ofNanoUsd(double nanoUsd) {
        return Double.isNaN(nanoUsd) ? MAX : new Money(Math.round(nanoUsd));
    }

    /** The sum. */
    public Money plus(Money other) {
        long sum = nanoUsd + other.nanoUsd;
        boolean overflows = ((nanoUsd ^ sum) & (other.nanoUsd ^ sum)) < 0;
        return new Money(overflows ? (nanoUsd < 0 ? -Long.MAX_VALUE : Long.MAX_VALUE) : sum);
    }

    /** The difference. */
    public Money minus(Money other) {
        return plus(new Money(-Math.max(other.nanoUsd, -Long.MAX_VALUE)));
    }

    /** The product. */
    public Money times(long factor) {
        long high = Math.multiplyHigh(nanoUsd, factor);
        long low = nanoUsd * factor;
        boolean fits = high == low >> 63;
        return new Money(fits ? low : (nanoUsd < 0) == (factor < 0) ? Long.MAX_VALUE : -Long.MAX_VALUE);
    }

    /** In dollars, exactly. */
    public BigDecimal usd() {
        return BigDecimal.valueOf(nanoUsd, 9);
    }

    @Override
    public int compareTo(Money other) {
        return Long.compare(nanoUsd, other.nanoUsd);
    }
}
