package dev.penstock.prompt.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The {@code tojson} filter as Hugging Face defines it for chat templates: Python's {@code json.dumps} with
 * {@code ensure_ascii=False}, keys in the dict's order, and without the HTML escapes of Jinja2's own filter.
 */
final class Json {
    private final Budget budget;
    private final StringBuilder out = new StringBuilder();
    private final @Nullable String indent;
    private final String itemSeparator;
    private final String keySeparator;
    private final boolean asciiOnly;
    private final boolean sorted;

    private Json(Args args, Budget budget) {
        this.budget = budget;
        args.expect(0, "ensure_ascii", "indent", "separators", "sort_keys");
        asciiOnly = args.flag(0, "ensure_ascii");
        Object width = args.get(1, "indent", None.NONE);
        indent = switch (width) {
            case None none -> null;
            case String text -> text;
            default -> {
                long spaces = Math.clamp(args.integer(1, "indent", 0), 0, Integer.MAX_VALUE);
                budget.text(spaces);
                yield " ".repeat((int) spaces);
            }
        };
        Object separators = args.get(2, "separators", None.NONE);
        List<Object> pair = Values.sequence(separators);
        if (pair != null && pair.size() == 2 && pair.get(0) instanceof String s && pair.get(1) instanceof String t) {
            itemSeparator = s;
            keySeparator = t;
        } else if (separators == None.NONE) {
            itemSeparator = indent == null ? ", " : ",";
            keySeparator = ": ";
        } else {
            throw new TemplateFault("tojson: 'separators' must be two strings");
        }
        sorted = args.flag(3, "sort_keys");
    }

    /** The value as JSON. */
    static String write(Object value, Args args, Budget budget) {
        Json json = new Json(args, budget);
        json.value(value, 0);
        return json.out.toString();
    }

    private void value(Object value, int depth) {
        budget.step();
        budget.enter();
        switch (value) {
            case None none -> append("null");
            case Boolean flag -> append(flag ? "true" : "false");
            case Double number -> append(number(number));
            case Number number -> append(number.toString());
            case String text -> string(text);
            case Markup markup -> string(markup.text());
            case List<?> list -> elements(list, depth);
            case Tuple tuple -> elements(tuple.elements(), depth);
            case Map<?, ?> map -> map(map, depth);
            case Undefined undefined ->
                throw new TemplateFault("an undefined value can't be written as JSON: " + undefined.message());
            default -> throw new TemplateFault("a " + Values.typeName(value) + " can't be written as JSON");
        }
        budget.leave();
    }

    private void append(String text) {
        budget.text(text.length());
        out.append(text);
    }

    private void elements(List<?> elements, int depth) {
        if (elements.isEmpty()) {
            append("[]");
            return;
        }
        append("[");
        boolean first = true;
        for (Object element : elements) {
            separate(first, depth + 1);
            first = false;
            value(element, depth + 1);
        }
        newLine(depth);
        append("]");
    }

    private void map(Map<?, ?> map, int depth) {
        if (map.isEmpty()) {
            append("{}");
            return;
        }
        List<Map.Entry<?, ?>> entries = new ArrayList<>(map.entrySet());
        if (sorted) {
            entries.sort((a, b) -> Values.compare(a.getKey(), b.getKey(), "<", budget));
        }
        append("{");
        boolean first = true;
        for (Map.Entry<?, ?> entry : entries) {
            separate(first, depth + 1);
            first = false;
            string(key(entry.getKey()));
            append(keySeparator);
            value(entry.getValue(), depth + 1);
        }
        newLine(depth);
        append("}");
    }

    private static String key(Object key) {
        return switch (key) {
            case String text -> text;
            case None none -> "null";
            case Boolean flag -> flag ? "true" : "false";
            case Double number -> number(number);
            case Number number -> number.toString();
            default -> throw new TemplateFault("a " + Values.typeName(key) + " can't be a key in JSON");
        };
    }

    private void separate(boolean first, int depth) {
        if (!first) {
            append(itemSeparator);
        }
        newLine(depth);
    }

    private void newLine(int depth) {
        if (indent != null) {
            budget.text(1L + (long) indent.length() * depth);
            out.append('\n').append(indent.repeat(depth));
        }
    }

    private static String number(double value) {
        if (Double.isNaN(value)) {
            return "NaN";
        }
        return Double.isInfinite(value) ? value > 0 ? "Infinity" : "-Infinity" : Repr.number(value);
    }

    private void string(String text) {
        budget.text(text.length() + 2L);
        budget.read(text);
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < ' ' || asciiOnly && c > '~') {
                        budget.text(6);
                        out.append("\\u%04x".formatted((int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
