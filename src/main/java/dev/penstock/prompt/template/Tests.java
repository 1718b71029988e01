package dev.penstock.prompt.template;

import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Jinja2's tests: {@code value is name(args)}. */
final class Tests {
    private static final Set<String> NAMES = Set.of(
            "defined",
            "undefined",
            "none",
            "boolean",
            "true",
            "false",
            "integer",
            "float",
            "number",
            "string",
            "mapping",
            "sequence",
            "iterable",
            "callable",
            "filter",
            "test",
            "sameas",
            "escaped",
            "in",
            "odd",
            "even",
            "divisibleby",
            "upper",
            "lower",
            "eq",
            "equalto",
            "==",
            "ne",
            "!=",
            "lt",
            "lessthan",
            "<",
            "le",
            "<=",
            "gt",
            "greaterthan",
            ">",
            "ge",
            ">=");

    private final Budget budget;

    Tests(Budget budget) {
        this.budget = budget;
    }

    /** Whether the value passes the test that {@code args} names. What is undefined passes some that it seems not to. */
    boolean test(Object value, Args args) {
        String name = args.function();
        return switch (name) {
            case "defined" -> !(value instanceof Undefined) && none(args);
            case "undefined" -> value instanceof Undefined && none(args);
            case "none" -> value == None.NONE && none(args);
            case "boolean" -> value instanceof Boolean && none(args);
            case "true" -> Boolean.TRUE.equals(value) && none(args);
            case "false" -> Boolean.FALSE.equals(value) && none(args);
            case "integer" -> (value instanceof Long || value instanceof BigInteger) && none(args);
            case "float" -> value instanceof Double && none(args);
            case "number" -> Arithmetic.isNumber(value) && none(args);
            case "string" -> value instanceof String && none(args);
            case "mapping" -> value instanceof Map<?, ?> && none(args);
            case "sequence" ->
                (value instanceof String
                                || value instanceof List<?>
                                || value instanceof Tuple
                                || value instanceof Map<?, ?>
                                || value instanceof Undefined)
                        && none(args);
            case "iterable" ->
                (value instanceof String
                                || value instanceof Map<?, ?>
                                || value instanceof OneShot
                                || value instanceof Undefined
                                || Values.sequence(value) != null)
                        && none(args);
            case "callable" -> (value instanceof Function || value instanceof Undefined) && none(args);
            case "escaped" -> false;
            case "filter" -> value instanceof String filter && Filters.NAMES.contains(filter);
            case "test" -> value instanceof String test && NAMES.contains(test);
            case "sameas" -> {
                Object other = other(args);
                yield value == other || Arithmetic.isNumber(value) && value.equals(other);
            }
            case "in" -> Values.contains(other(args), value, budget);
            case "odd" -> rest(value, 2, name) == 1;
            case "even" -> rest(value, 2, name) == 0;
            case "divisibleby" -> rest(value, args.expect(1, "num").integer(0, "num", 1), name) == 0;
            case "upper" -> Text.isCase(text(value, name), true);
            case "lower" -> Text.isCase(text(value, name), false);
            case "eq", "equalto", "==" -> Values.equal(value, other(args), budget);
            case "ne", "!=" -> !Values.equal(value, other(args), budget);
            case "lt", "lessthan", "<" -> Values.compare(value, other(args), "<", budget) < 0;
            case "le", "<=" -> Values.compare(value, other(args), "<=", budget) <= 0;
            case "gt", "greaterthan", ">" -> Values.compare(value, other(args), ">", budget) > 0;
            case "ge", ">=" -> Values.compare(value, other(args), ">=", budget) >= 0;
            default -> throw new TemplateFault("there is no test '" + Text.shorten(name) + "'");
        };
    }

    private static boolean none(Args args) {
        args.expect(0);
        return true;
    }

    private static Object other(Args args) {
        return args.expect(1, "other").required(0, "other");
    }

    private static long rest(Object value, long divisor, String name) {
        if (value instanceof Long number && divisor != 0) {
            return Math.floorMod(number, divisor);
        }
        throw value instanceof Undefined undefined
                ? undefined.fault()
                : new TemplateFault(
                        "the test '" + name + "' takes integers other than 0, not " + Values.typeName(value));
    }

    private static String text(Object value, String name) {
        if (value instanceof String text) {
            return text;
        }
        throw new TemplateFault("the test '" + name + "' takes a string, not " + Values.typeName(value));
    }
}
