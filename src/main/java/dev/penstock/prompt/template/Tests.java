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
    private final Repr repr;

    Tests(Interpreter interpreter) {
        this.budget = interpreter.budget();
        this.repr = interpreter.repr();
    }

    /** Whether the value passes the test that {@code args} names. What is undefined passes some that it seems not to. */
    boolean test(Object tested, Args args) {
        Object value = Markup.plain(tested);
        String name = args.function();
        return switch (name) {
            case "defined" -> none(args) && !(value instanceof Undefined);
            case "undefined" -> none(args) && value instanceof Undefined;
            case "none" -> none(args) && value == None.NONE;
            case "boolean" -> none(args) && value instanceof Boolean;
            case "true" -> none(args) && Boolean.TRUE.equals(value);
            case "false" -> none(args) && Boolean.FALSE.equals(value);
            case "integer" -> none(args) && (value instanceof Long || value instanceof BigInteger);
            case "float" -> none(args) && value instanceof Double;
            case "number" -> none(args) && Arithmetic.isNumber(value);
            case "string" -> none(args) && value instanceof String;
            case "mapping" -> none(args) && value instanceof Map<?, ?>;
            case "sequence" ->
                none(args)
                        && (value instanceof String
                                || value instanceof List<?>
                                || value instanceof Tuple
                                || value instanceof Map<?, ?>
                                || value instanceof Undefined);
            case "iterable" ->
                none(args)
                        && (value instanceof String
                                || value instanceof Map<?, ?>
                                || value instanceof OneShot
                                || value instanceof Undefined
                                || Values.sequence(value) != null);
            case "callable" -> none(args) && (value instanceof Function || value instanceof Undefined);
            case "escaped" -> none(args) && tested instanceof Markup;
            case "filter" ->
                none(args) && Evaluator.hashable(value) instanceof String filter && Filters.NAMES.contains(filter);
            case "test" -> none(args) && Evaluator.hashable(value) instanceof String test && NAMES.contains(test);
            case "sameas" -> {
                Object other = other(args);
                yield value == other || Arithmetic.isNumber(value) && value.equals(other);
            }
            case "in" -> Values.contains(other(args), value, budget);
            case "odd" -> none(args) && rest(value, 2L) == 1;
            case "even" -> none(args) && rest(value, 2L) == 0;
            case "divisibleby" -> rest(value, args.expect(1, "num").required(0, "num")) == 0;
            case "upper" -> none(args) && Text.isCase(repr.str(value), true);
            case "lower" -> none(args) && Text.isCase(repr.str(value), false);
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

    /** The rest of a division; what is no number, as the {@code %} of a string makes it, is no rest either. */
    private double rest(Object value, Object divisor) {
        Object rest = Arithmetic.binary(Expression.Operator.MODULO, value, divisor, budget);
        return rest instanceof Number number ? number.doubleValue() : Double.NaN;
    }
}
