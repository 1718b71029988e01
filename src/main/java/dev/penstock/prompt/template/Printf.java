package dev.penstock.prompt.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;

/** Python's two ways of filling in a format: {@code %} and, without format specifications, {@code str.format}. */
final class Printf {
    /** Widest field and most decimals. */
    private static final int MAX_WIDTH = 1000;

    private final String format;
    private final Budget budget;
    private final Repr repr;
    private final StringBuilder out = new StringBuilder();
    private int at;

    private Printf(String format, Budget budget) {
        this.format = format;
        this.budget = budget;
        this.repr = new Repr(budget);
    }

    /** {@code format % values}: a tuple's elements one after the other, a dict's by name, or a single value. */
    static String format(String format, Object values, Budget budget) {
        Printf printf = new Printf(format, budget);
        budget.text(format.length());
        printf.percent(values);
        return printf.out.toString();
    }

    /** {@code format.format(...)}: {@code {}}, {@code {0}}, {@code {name}}, {@code {{}}. */
    static String braces(String format, Args args, Budget budget) {
        Printf printf = new Printf(format, budget);
        budget.text(format.length());
        printf.braces(args);
        return printf.out.toString();
    }

    private void percent(Object given) {
        List<Object> values = given instanceof Tuple tuple ? tuple.elements() : List.of(given);
        int next = 0;
        while (at < format.length()) {
            char c = format.charAt(at++);
            if (c != '%') {
                out.append(c);
                continue;
            }
            Object named = at < format.length() && format.charAt(at) == '(' ? named(given) : null;
            String flags = take("-+ 0#");
            int width = number();
            int precision = at < format.length() && format.charAt(at) == '.' ? precision() : -1;
            if (at >= format.length()) {
                throw new TemplateFault("a format ends within a %");
            }
            char type = format.charAt(at++);
            if (type == '%') {
                out.append('%');
                continue;
            }
            if (named == null && next >= values.size()) {
                throw new TemplateFault("a format has more fields than there are values");
            }
            String text = field(type, flags, precision, named == null ? values.get(next++) : named);
            pad(text, flags, width, type != 's' && type != 'r');
        }
        // Python looks for values that are left over in what can't be subscripted only, and in tuples.
        boolean subscripted = given instanceof Map<?, ?> || given instanceof List<?> || given instanceof Undefined;
        if (next < values.size() && !subscripted) {
            throw new TemplateFault("a format has fewer fields than there are values");
        }
    }

    /** The value that {@code %(name)} stands for. */
    private Object named(Object given) {
        int end = format.indexOf(')', at);
        Object value = end >= 0 && given instanceof Map<?, ?> map ? map.get(format.substring(at + 1, end)) : null;
        if (value == null) {
            throw new TemplateFault("a format names what there is no value for, or values that are no dict");
        }
        at = end + 1;
        return value;
    }

    private String take(String chars) {
        int from = at;
        while (at < format.length() && chars.indexOf(format.charAt(at)) >= 0) {
            at++;
        }
        return format.substring(from, at);
    }

    private int number() {
        String digits = take("0123456789");
        if (digits.isEmpty()) {
            return 0;
        }
        int number = digits.length() > 4 ? MAX_WIDTH + 1 : Integer.parseInt(digits);
        if (number > MAX_WIDTH) {
            throw new TemplateFault("a field of a format is wider than " + MAX_WIDTH);
        }
        return number;
    }

    private int precision() {
        at++;
        return number();
    }

    private String field(char type, String flags, int precision, Object value) {
        if (type == 's' || type == 'r') {
            String text = type == 's' ? repr.str(value) : repr.repr(value);
            return precision >= 0 && precision < text.length() ? text.substring(0, precision) : text;
        }
        if (!Arithmetic.isNumber(value)) {
            throw value instanceof Undefined undefined
                    ? undefined.fault()
                    : new TemplateFault("%" + type + " takes a number, not " + Values.typeName(value));
        }
        Object number = value instanceof Boolean flag ? (Object) (flag ? 1L : 0L) : value;
        String digits = switch (type) {
            case 'd', 'i' -> number instanceof Double d ? whole(d).toPlainString() : number.toString();
            case 'x' -> hex(number);
            case 'X' -> Text.upper(hex(number));
            case 'f', 'F' ->
                (number instanceof Double d ? finite(d) : new BigDecimal(number.toString()))
                        .setScale(precision < 0 ? 6 : precision, RoundingMode.HALF_EVEN)
                        .toPlainString();
            default -> throw new TemplateFault("formats have no %" + type + " here");
        };
        return digits.startsWith("-") || flags.indexOf('+') < 0 && flags.indexOf(' ') < 0
                ? digits
                : (flags.indexOf('+') >= 0 ? "+" : " ") + digits;
    }

    private static BigDecimal finite(double value) {
        if (!Double.isFinite(value)) {
            throw new TemplateFault("a number to be formatted is not finite");
        }
        return new BigDecimal(value);
    }

    private static BigDecimal whole(double value) {
        return finite(value).setScale(0, RoundingMode.DOWN);
    }

    private static String hex(Object number) {
        if (number instanceof Long value && value != Long.MIN_VALUE) {
            return (value < 0 ? "-" : "") + Long.toHexString(Math.abs(value));
        }
        throw new TemplateFault("%x takes an integer of 64 bits");
    }

    private void pad(String text, String flags, int width, boolean numeric) {
        int missing = Math.max(0, width - text.codePointCount(0, text.length()));
        budget.text((long) text.length() + missing);
        if (flags.indexOf('-') >= 0) {
            out.append(text).repeat(' ', missing);
        } else if (numeric && flags.indexOf('0') >= 0) {
            int sign = text.startsWith("-") || text.startsWith("+") || text.startsWith(" ") ? 1 : 0;
            out.append(text, 0, sign).repeat('0', missing).append(text, sign, text.length());
        } else {
            out.repeat(' ', missing).append(text);
        }
    }

    private void braces(Args args) {
        int next = 0;
        while (at < format.length()) {
            char c = format.charAt(at++);
            if (c != '{' && c != '}') {
                out.append(c);
                continue;
            }
            if (at < format.length() && format.charAt(at) == c) {
                out.append(c);
                at++;
                continue;
            }
            int end = format.indexOf('}', at);
            if (c == '}' || end < 0) {
                throw new TemplateFault("a format has a single '" + c + "'");
            }
            String field = format.substring(at, end);
            at = end + 1;
            Object value;
            if (field.isEmpty()) {
                value = next < args.positional().size() ? args.positional().get(next) : null;
                next++;
            } else if (field.chars().allMatch(d -> d >= '0' && d <= '9') && field.length() < 5) {
                int index = Integer.parseInt(field);
                value = index < args.positional().size() ? args.positional().get(index) : null;
            } else {
                value = args.named().get(field);
            }
            if (value == null) {
                throw new TemplateFault("format has no value for the field '" + Text.shorten(field) + "'");
            }
            String text = repr.str(value);
            budget.text(text.length());
            out.append(text);
        }
    }
}
