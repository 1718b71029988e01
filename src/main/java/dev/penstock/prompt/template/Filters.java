package dev.penstock.prompt.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Jinja2's filters on single values; {@link ListFilters} has those on lists. */
final class Filters {
    static final Set<String> NAMES = Set.of(
            "abs",
            "attr",
            "batch",
            "capitalize",
            "center",
            "count",
            "d",
            "default",
            "dictsort",
            "e",
            "escape",
            "first",
            "float",
            "forceescape",
            "format",
            "groupby",
            "indent",
            "int",
            "items",
            "join",
            "last",
            "length",
            "list",
            "lower",
            "map",
            "max",
            "min",
            "reject",
            "rejectattr",
            "replace",
            "reverse",
            "round",
            "safe",
            "select",
            "selectattr",
            "slice",
            "sort",
            "string",
            "sum",
            "title",
            "tojson",
            "trim",
            "unique",
            "upper",
            "wordcount");

    /** Filters of strings whose result is escaped if what they are given is. */
    private static final Set<String> KEEPING =
            Set.of("capitalize", "center", "d", "default", "format", "indent", "lower", "string", "trim", "upper");

    private static final Pattern WORD_BEGINNING = Pattern.compile("[-\\s({\\[<]+", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern INTEGER = Pattern.compile("[+-]?[0-9]+(?:_[0-9]+)*");
    private static final Pattern FLOAT =
            Pattern.compile("[+-]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?:inf|infinity|nan)");

    private final Interpreter interpreter;
    private final Budget budget;
    private final ListFilters lists;

    Filters(Interpreter interpreter, Tests tests) {
        this.interpreter = interpreter;
        this.budget = interpreter.budget();
        this.lists = new ListFilters(interpreter, this, tests);
    }

    /** Applies the filter that {@code args} names. */
    Object apply(Object value, Args args) {
        if (value instanceof Markup markup && !args.function().equals("forceescape")) {
            Object made = plain(markup.text(), args, markup);
            return KEEPING.contains(args.function()) ? Markup.of(made) : made;
        }
        return plain(value, args, null);
    }

    /** The same for a value that is not escaped, or of which {@code markup} is the escaped form. */
    private Object plain(Object value, Args args, @Nullable Markup markup) {
        return switch (args.function()) {
            case "default", "d" -> {
                args.expect(0, "default_value", "boolean");
                boolean replaced = value instanceof Undefined || args.flag(1, "boolean") && !Values.isTrue(value);
                yield replaced ? args.get(0, "default_value", "") : value;
            }
            case "tojson" -> Json.write(value, args, budget);
            case "length", "count" -> {
                args.expect(0);
                yield Values.length(value, budget);
            }
            case "string" -> {
                args.expect(0);
                yield string(value);
            }
            case "safe" -> {
                args.expect(0);
                yield new Markup(string(value));
            }
            case "trim" -> {
                Object chars = args.expect(0, "chars").get(0, "chars", None.NONE);
                yield made(StringMethods.strip(read(value), chars, true, true));
            }
            case "upper" -> made(Text.upper(alone(value, args)));
            case "lower" -> made(Text.lower(alone(value, args)));
            case "capitalize" -> made(Text.capitalize(alone(value, args)));
            case "title" -> made(title(alone(value, args)));
            case "replace" -> {
                args.expect(2, "old", "new", "count");
                Object count = args.get(2, "count", None.NONE);
                yield Text.replace(
                        string(value),
                        string(args.required(0, "old")),
                        string(args.required(1, "new")),
                        count == None.NONE ? -1 : args.integer(2, "count", -1),
                        budget);
            }
            case "indent" -> indent(value, args.expect(0, "width", "first", "blank"));
            case "center" ->
                new StringMethods(budget)
                        .call(
                                string(value),
                                new Args(
                                        "center",
                                        List.of(args.expect(0, "width").integer(0, "width", 80)),
                                        Map.of()));
            case "wordcount" -> {
                args.expect(0);
                yield (long) Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS)
                        .matcher(read(value))
                        .results()
                        .count();
            }
            case "e", "escape", "forceescape" -> {
                args.expect(0);
                yield markup != null ? markup : new Markup(Markup.escaped(Markup.plain(value), interpreter));
            }
            case "format" -> {
                if (!args.named().isEmpty()) {
                    throw new TemplateFault("the filter 'format' takes no named arguments here");
                }
                yield Printf.format(string(value), new Tuple(args.positional()), budget);
            }
            case "int" -> {
                charge(value);
                yield integer(value, args.expect(0, "default", "base"));
            }
            case "float" -> {
                args.expect(0, "default");
                charge(value);
                Double number = number(value);
                yield number != null ? number : args.get(0, "default", 0.0);
            }
            case "abs" -> {
                args.expect(0);
                if (!Arithmetic.isNumber(value)) {
                    throw wrong(value, "abs", "a number");
                }
                Object zero = 0L;
                yield value instanceof Double number
                        ? (Object) Math.abs(number)
                        : Arithmetic.unary(
                                Arithmetic.compare(value, zero) < 0
                                        ? Expression.Operator.SUBTRACT
                                        : Expression.Operator.ADD,
                                value);
            }
            case "round" -> round(value, args.expect(0, "precision", "method"));
            case "attr" -> {
                String name = args.expect(1, "name").string(0, "name");
                if (value instanceof Undefined undefined) {
                    throw undefined.fault();
                }
                yield value instanceof Map<?, ?>
                        ? methodOnly(value, name)
                        : interpreter.evaluator().attribute(value, name);
            }
            case "items" -> {
                args.expect(0);
                if (value instanceof Map<?, ?> map) {
                    budget.steps(map.size());
                    yield new OneShot(Methods.items(map));
                }
                if (value instanceof Undefined) {
                    yield new OneShot(List.of());
                }
                throw wrong(value, "items", "a dict");
            }
            default -> lists.apply(value, args);
        };
    }

    static TemplateFault wrong(Object value, String filter, String wanted) {
        return value instanceof Undefined undefined
                ? undefined.fault()
                : new TemplateFault("the filter '" + filter + "' takes " + wanted + ", not " + Values.typeName(value));
    }

    private String string(Object value) {
        return interpreter.repr().str(value);
    }

    private String read(Object value) {
        String text = string(value);
        budget.read(text);
        return text;
    }

    private void charge(Object value) {
        if (value instanceof String text) {
            budget.read(text);
        }
    }

    private String alone(Object value, Args args) {
        args.expect(0);
        return read(value);
    }

    private String made(String text) {
        budget.text(text.length());
        return text;
    }

    /** A dict's entries are no attributes. */
    private static Object methodOnly(Object value, String name) {
        Object method = Methods.of(value, name);
        return method != null ? method : Undefined.attribute(value, name);
    }

    /** Other than the method of that name, it begins words at white space, brackets and dashes only. */
    private static String title(String text) {
        StringBuilder title = new StringBuilder(text.length());
        var beginnings = WORD_BEGINNING.matcher(text);
        int from = 0;
        while (from < text.length()) {
            int to = beginnings.find(from) ? beginnings.start() : text.length();
            if (to > from) {
                int first = from + Character.charCount(text.codePointAt(from));
                title.append(Text.upper(text.substring(from, first))).append(Text.lower(text.substring(first, to)));
            }
            from = to;
            if (to < text.length()) {
                title.append(text, to, beginnings.end());
                from = beginnings.end();
            }
        }
        return title.toString();
    }

    private String indent(Object value, Args args) {
        if (!(value instanceof String text)) {
            throw wrong(value, "indent", "a string");
        }
        budget.read(text);
        Object width = args.get(0, "width", 4L);
        String indention;
        if (width instanceof String given) {
            indention = given;
        } else {
            long spaces = Math.clamp(args.integer(0, "width", 4), 0, Integer.MAX_VALUE);
            budget.text(spaces);
            indention = " ".repeat((int) spaces);
        }
        boolean blank = args.flag(2, "blank");
        List<Object> lines = Text.lines(text + "\n", false);
        budget.steps(lines.size());
        budget.text(text.length() + lines.size() * (indention.length() + 1L));
        StringBuilder result = new StringBuilder(args.flag(1, "first") ? indention : "");
        for (int i = 0; i < lines.size(); i++) {
            String line = (String) lines.get(i);
            if (i > 0) {
                result.append('\n').append(blank || !line.isEmpty() ? indention : "");
            }
            result.append(line);
        }
        return result.toString();
    }

    private Object integer(Object value, Args args) {
        Object defaultValue = args.get(0, "default", 0L);
        long base = args.integer(1, "base", 10);
        return switch (value) {
            case Long number -> number;
            case Boolean flag -> flag ? 1L : 0L;
            case Double number -> Double.isFinite(number) ? whole(new BigDecimal(number)) : defaultValue;
            case String text -> {
                String digits = text.strip().replace("_", "");
                if (base != 10) {
                    yield based(Text.lower(digits), base, defaultValue);
                }
                if (INTEGER.matcher(text.strip()).matches()) {
                    // Twenty digits are beyond 64 bits already; reading thousands would take long.
                    String leading = digits.replaceFirst("^([+-]?)0+(?=.)", "$1");
                    yield whole(new BigDecimal(leading.length() > 25 ? leading.substring(0, 25) : leading));
                }
                Double number = number(text);
                yield number != null && Double.isFinite(number) ? whole(new BigDecimal(number)) : defaultValue;
            }
            case Undefined undefined -> throw undefined.fault();
            default -> defaultValue;
        };
    }

    private static Object based(String digits, long base, Object defaultValue) {
        String prefix = base == 16 ? "0x" : base == 8 ? "0o" : "0b";
        try {
            return Long.parseLong(digits.startsWith(prefix) ? digits.substring(2) : digits, (int) base);
        } catch (NumberFormatException e) {
            return defaultValue;
        }
    }

    private static Object whole(BigDecimal number) {
        try {
            return number.setScale(0, RoundingMode.DOWN).longValueExact();
        } catch (ArithmeticException e) {
            throw new TemplateFault("an integer grows beyond 64 bits");
        }
    }

    /** The value as a float, or null if it is none. */
    private static @Nullable Double number(Object value) {
        return switch (value) {
            case Double number -> number;
            case Number number -> number.doubleValue();
            case Boolean flag -> flag ? 1.0 : 0.0;
            case String text -> {
                String digits = Text.lower(text.strip());
                if (digits.length() > 1000 || !FLOAT.matcher(digits).matches()) {
                    yield null;
                }
                yield digits.endsWith("nan")
                        ? Double.NaN
                        : digits.contains("inf")
                                ? digits.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY
                                : Double.valueOf(digits);
            }
            case Undefined undefined -> throw undefined.fault();
            default -> null;
        };
    }

    private static Object round(Object value, Args args) {
        if (!Arithmetic.isNumber(value)) {
            throw wrong(value, "round", "a number");
        }
        Object number = Arithmetic.unary(Expression.Operator.ADD, value);
        int precision = (int) Math.clamp(args.integer(0, "precision", 0), -30, 30);
        RoundingMode mode = switch (String.valueOf(args.get(1, "method", "common"))) {
            case "common" -> RoundingMode.HALF_EVEN;
            case "ceil" -> RoundingMode.CEILING;
            case "floor" -> RoundingMode.FLOOR;
            default -> throw new TemplateFault("round: 'method' must be common, ceil or floor");
        };
        if (number instanceof Long whole) {
            if (precision >= 0 && mode == RoundingMode.HALF_EVEN) {
                return whole;
            }
            BigDecimal rounded = BigDecimal.valueOf(whole).setScale(precision, mode);
            return mode == RoundingMode.HALF_EVEN ? (Object) rounded.longValueExact() : rounded.doubleValue();
        }
        double real = (Double) number;
        if (!Double.isFinite(real)) {
            return number;
        }
        if (mode == RoundingMode.HALF_EVEN) {
            return Math.copySign(new BigDecimal(real).setScale(precision, mode).doubleValue(), real);
        }
        // Jinja2 rounds up and down what binary arithmetic makes of the multiple.
        double factor = Math.pow(10, precision);
        double multiple = mode == RoundingMode.CEILING ? Math.ceil(real * factor) : Math.floor(real * factor);
        return multiple / factor + 0.0;
    }
}
