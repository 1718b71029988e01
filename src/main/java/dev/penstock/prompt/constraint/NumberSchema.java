package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.penstock.prompt.constraint.NumberRanges.Bound;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/** Numbers under a schema. */
final class NumberSchema {
    private static final int MAX_DIVISOR = 5_000;

    private NumberSchema() {}

    /** The numbers, or the integers among them. */
    static Regex compile(JsonNode schema, boolean integers, String where) {
        Bound min = bound(schema, "minimum", "exclusiveMinimum", 1, where);
        Bound max = bound(schema, "maximum", "exclusiveMaximum", -1, where);
        BigDecimal divisor = number(schema, "multipleOf", where);
        if (divisor != null && divisor.signum() <= 0) {
            throw new ConstraintException("'multipleOf' at " + where + " must be more than 0.");
        }
        boolean bounded = min != null || max != null;
        Regex all;
        if (integers) {
            all = bounded ? NumberRanges.integers(min, max) : JsonText.INTEGER;
        } else {
            all = bounded ? NumberRanges.decimals(min, max) : JsonText.NUMBER;
        }
        return divisor == null ? all : Regex.and(all, multiples(divisor, integers, where));
    }

    private static Regex multiples(BigDecimal divisor, boolean integers, String where) {
        BigDecimal plain = divisor.stripTrailingZeros();
        Regex sign = Regex.repeat(Regex.literal("-"), 0, 1);
        if (plain.scale() <= 0) {
            if (plain.compareTo(BigDecimal.valueOf(MAX_DIVISOR)) > 0) {
                throw new ConstraintException(
                        "'multipleOf' at " + where + " can be enforced up to " + MAX_DIVISOR + " only.");
            }
            return Regex.concat(sign, ByteDfa.multiples(plain.intValueExact()));
        }
        if (plain.unscaledValue().intValue() != 1 || plain.scale() > 18) {
            throw new ConstraintException("'multipleOf' at " + where
                    + " can be enforced for integers, and for powers of ten, but not for " + plain.toPlainString() + ".");
        }
        if (integers) {
            return JsonText.INTEGER;
        }
        Regex digits = Regex.concat(Regex.literal("."), Regex.repeat(JsonText.DIGIT, 1, plain.scale()));
        return Regex.concat(sign, JsonText.NATURAL, Regex.repeat(digits, 0, 1));
    }

    /** The tighter of two bounds. */
    private static @Nullable Bound bound(JsonNode schema, String inclusive, String exclusive, int sign, String where) {
        BigDecimal one = number(schema, inclusive, where);
        JsonNode flag = schema.path(exclusive);
        if (flag.isBoolean()) {
            // As drafts before 6 wrote it.
            return one == null ? null : new Bound(one, flag.booleanValue());
        }
        BigDecimal other = number(schema, exclusive, where);
        if (one == null || other == null) {
            return one != null ? new Bound(one, false) : other != null ? new Bound(other, true) : null;
        }
        return other.compareTo(one) * sign >= 0 ? new Bound(other, true) : new Bound(one, false);
    }

    private static @Nullable BigDecimal number(JsonNode schema, String keyword, String where) {
        JsonNode value = schema.path(keyword);
        if (value.isMissingNode()) {
            return null;
        }
        if (!value.isNumber()) {
            throw new ConstraintException("'" + keyword + "' at " + where + " must be a number.");
        }
        BigDecimal number = value.decimalValue();
        if (Math.abs((long) number.scale()) > 400 || number.precision() > 400) {
            throw new ConstraintException("'" + keyword + "' at " + where + " has too many digits.");
        }
        return number;
    }
}
