package dev.penstock.prompt.template;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Map;

/** Python's {@code str} and {@code repr}. */
final class Repr {
    private final Budget budget;

    Repr(Budget budget) {
        this.budget = budget;
    }

    /** What printing a value shows. */
    String str(Object value) {
        if (Markup.plain(value) instanceof String text) {
            return text;
        }
        if (value instanceof Undefined) {
            return "";
        }
        StringBuilder text = new StringBuilder();
        repr(value, text);
        return text.toString();
    }

    /** What a value looks like inside of a container. */
    String repr(Object value) {
        StringBuilder text = new StringBuilder();
        repr(value, text);
        return text.toString();
    }

    private void repr(Object value, StringBuilder out) {
        budget.step();
        budget.enter();
        int before = out.length();
        switch (value) {
            case String text -> quote(text, out);
            case Markup markup -> {
                out.append("Markup(");
                quote(markup.text(), out);
                out.append(')');
            }
            case None none -> out.append("None");
            case Undefined undefined -> out.append("Undefined");
            case Boolean flag -> out.append(flag ? "True" : "False");
            case Double number -> out.append(number(number));
            case Number number -> out.append(number);
            case List<?> list -> elements("[", list, "]", out);
            case Tuple tuple -> elements("(", tuple.elements(), tuple.elements().size() == 1 ? ",)" : ")", out);
            case Map<?, ?> map -> {
                String separator = "{";
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    out.append(separator);
                    repr(entry.getKey(), out);
                    out.append(": ");
                    repr(entry.getValue(), out);
                    separator = ", ";
                }
                out.append(map.isEmpty() ? "{}" : "}");
            }
            case View view -> {
                out.append(view.type());
                elements("([", view.elements(), "])", out);
            }
            case LoopState loop -> out.append(loop.label());
            case Interpreter.Macro macro ->
                out.append("<Macro '").append(macro.name()).append("'>");
            default -> throw new TemplateFault("a " + Values.typeName(value) + " can't be printed");
        }
        if (!(value instanceof List<?>) && !(value instanceof Map<?, ?>) && !(value instanceof Tuple)) {
            budget.text(out.length() - before);
        }
        budget.leave();
    }

    private void elements(String opening, List<?> elements, String closing, StringBuilder out) {
        out.append(opening);
        String separator = "";
        for (Object element : elements) {
            out.append(separator);
            repr(element, out);
            separator = ", ";
        }
        out.append(closing);
    }

    /** Single quotes, unless there are single quotes and no double ones in the text. */
    private static void quote(String text, StringBuilder out) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        out.append(quote);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                    if (c == quote) {
                        out.append('\\').append(quote);
                    } else if (isPrintable(c)) {
                        out.appendCodePoint(c);
                    } else {
                        out.append(
                                c < 0x100
                                        ? "\\x%02x".formatted(c)
                                        : c < 0x10000 ? "\\u%04x".formatted(c) : "\\U%08x".formatted(c));
                    }
                }
            }
        });
        out.append(quote);
    }

    private static boolean isPrintable(int codePoint) {
        return codePoint == ' '
                || switch (Character.getType(codePoint)) {
                    case Character.CONTROL,
                            Character.FORMAT,
                            Character.SURROGATE,
                            Character.PRIVATE_USE,
                            Character.UNASSIGNED,
                            Character.LINE_SEPARATOR,
                            Character.PARAGRAPH_SEPARATOR,
                            Character.SPACE_SEPARATOR -> false;
                    default -> true;
                };
    }

    /** The shortest digits that read back as the same float, with an exponent below 1e-4 and from 1e16 on. */
    static String number(double value) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal shortest = new BigDecimal(Double.toString(value));
        if (shortest.precision() == 2) {
            // Java never writes less than two digits, even where one is enough: 4.9E-324.
            BigDecimal shorter = shortest.round(new MathContext(1));
            shortest = shorter.doubleValue() == value ? shorter : shortest;
        }
        shortest = shortest.stripTrailingZeros();
        int exponent = shortest.precision() - shortest.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = shortest.toPlainString();
            return plain.indexOf('.') < 0 ? plain + ".0" : plain;
        }
        String digits = shortest.unscaledValue().abs().toString();
        return (value < 0 ? "-" : "")
                + digits.charAt(0)
                + (digits.length() > 1 ? "." + digits.substring(1) : "")
                + "e"
                + (exponent < 0 ? "-" : "+")
                + (Math.abs(exponent) < 10 ? "0" : "")
                + Math.abs(exponent);
    }
}
