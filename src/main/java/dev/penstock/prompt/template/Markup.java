package dev.penstock.prompt.template;

import dev.penstock.prompt.template.Expression.Operator;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A string that is escaped for HTML, as the filters {@code safe} and {@code escape} give: what is added to it or filled in
 * is escaped, too. Otherwise it is a string like any other (the class of that name in markupsafe 3).
 */
record Markup(String text) {
    /** Methods whose result stays escaped. */
    private static final Set<String> KEEPING = Set.of(
            "split",
            "rsplit",
            "splitlines",
            "partition",
            "rpartition",
            "strip",
            "lstrip",
            "rstrip",
            "removeprefix",
            "removesuffix",
            "replace",
            "upper",
            "lower",
            "title",
            "capitalize",
            "swapcase",
            "casefold",
            "join",
            "zfill",
            "ljust",
            "rjust",
            "center",
            "format");

    /** Methods that escape what they are given. */
    private static final Set<String> ESCAPING = Set.of("join", "replace", "ljust", "rjust", "center", "format");

    /** The value as a plain string, if it is escaped; else as it is. */
    static Object plain(Object value) {
        return value instanceof Markup markup ? markup.text : value;
    }

    /** What was made of an escaped string as escaped strings. */
    static Object of(Object made) {
        return switch (made) {
            case String text -> new Markup(text);
            case List<?> several -> ofAll(several);
            case Tuple several -> new Tuple(ofAll(several.elements()));
            default -> made;
        };
    }

    private static List<Object> ofAll(List<?> several) {
        List<Object> markup = new ArrayList<>();
        several.forEach(each -> markup.add(of(each)));
        return markup;
    }

    /** A value's text, escaped if it isn't. */
    static String escaped(Object value, Interpreter interpreter) {
        if (value instanceof Markup markup) {
            return markup.text;
        }
        String text = interpreter.repr().str(value);
        interpreter.budget().read(text);
        StringBuilder escaped = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&#34;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.append(c);
            }
        }
        interpreter.budget().text(escaped.length());
        return escaped.toString();
    }

    /** Calls a method of strings. */
    Object call(Args args, Interpreter interpreter) {
        Args given = args;
        if (ESCAPING.contains(args.function())) {
            List<Object> positional = new ArrayList<>();
            args.positional().forEach(each -> positional.add(filler(each, interpreter)));
            if (args.function().equals("replace") && !positional.isEmpty()) {
                positional.set(0, args.positional().getFirst());
            }
            Map<String, Object> named = new LinkedHashMap<>();
            args.named().forEach((name, each) -> named.put(name, filler(each, interpreter)));
            given = new Args(args.function(), positional, named);
        }
        Object made = new StringMethods(interpreter.budget()).call(text, given);
        return KEEPING.contains(args.function()) ? of(made) : made;
    }

    /** An operation of which an operand is escaped: what {@code +}, {@code *} and {@code %} make of it is, too. */
    static Object binary(Operator operator, Object left, Object right, Interpreter interpreter) {
        Object a = plain(left);
        Object b = plain(right);
        if (operator == Operator.ADD && a instanceof String && b instanceof String) {
            a = escaped(left, interpreter);
            b = escaped(right, interpreter);
        } else if (operator == Operator.MODULO) {
            b = left instanceof Markup ? filler(right, interpreter) : b;
        }
        Object made = Arithmetic.binary(operator, a, b, interpreter.budget());
        return operator == Operator.MODULO && !(left instanceof Markup) ? made : of(made);
    }

    /** What fills in an escaped string: strings, also those within lists and tuples, are escaped. */
    private static Object filler(Object value, Interpreter interpreter) {
        List<Object> elements = Values.sequence(value);
        if (elements == null) {
            return value instanceof String || value instanceof Markup ? escaped(value, interpreter) : value;
        }
        List<Object> fillers = new ArrayList<>();
        elements.forEach(each -> fillers.add(filler(each, interpreter)));
        return value instanceof Tuple ? new Tuple(fillers) : fillers;
    }
}
