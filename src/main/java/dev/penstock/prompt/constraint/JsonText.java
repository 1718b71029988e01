package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** How JSON is written (RFC 8259), with room for so much white space that it is readable and no more. */
final class JsonText {
    private static final int MAX_INDENT = 64;
    private static final int PLAIN_DIGITS = 20;

    /** Between two tokens: nothing, a space, or a new line with its indentation. */
    static final Regex SPACE = Regex.union(
            Regex.EPSILON,
            Regex.literal(" "),
            Regex.concat(
                    Regex.literal("\n"),
                    Regex.repeat(Regex.bytes(ByteSet.of(' ').or(ByteSet.of('\t'))), 0, MAX_INDENT)));

    static final Regex COMMA = Regex.concat(SPACE, Regex.literal(","), SPACE);
    static final Regex OBJECT_BEGIN = Regex.concat(Regex.literal("{"), SPACE);
    static final Regex OBJECT_END = Regex.concat(SPACE, Regex.literal("}"));
    static final Regex ARRAY_BEGIN = Regex.concat(Regex.literal("["), SPACE);
    static final Regex ARRAY_END = Regex.concat(SPACE, Regex.literal("]"));

    private static final CodePoints ESCAPED =
            CodePoints.of(0, 0x1F).or(CodePoints.of('"', '"')).or(CodePoints.of('\\', '\\'));
    private static final String SHORT = "\"\\\b\f\n\r\t";
    private static final String SHORT_NAMES = "\"\\bfnrt";

    /** A character in the one way that strings with conditions write it. */
    static final Regex PLAIN_CHAR = chars(CodePoints.ALL);

    /** What is between the quotes of any string that is written so. */
    static final Regex ANY_PLAIN = Regex.repeat(PLAIN_CHAR, 0, Regex.UNBOUNDED);

    /** A character in any way. */
    static final Regex ANY_CHAR = anyChar();

    /** What is between the quotes of any string. */
    static final Regex ANY_CHARS = Regex.repeat(ANY_CHAR, 0, Regex.UNBOUNDED);

    static final Regex ANY_STRING = quoted(ANY_CHARS);

    private JsonText() {}

    /** One of some characters, as strings with conditions write it: as itself unless it must be escaped. */
    static Regex chars(CodePoints set) {
        List<Regex> ways = new ArrayList<>();
        ways.add(RegexParser.utf8(set.not().or(ESCAPED).not()));
        for (CodePoints.Range range : set.ranges()) {
            for (int c = range.lo(); c <= Math.min(range.hi(), '\\'); c++) {
                if (c < ' ' || c == '"' || c == '\\') {
                    ways.add(escape(c));
                }
            }
        }
        return Regex.union(ways);
    }

    private static Regex escape(int c) {
        int index = SHORT.indexOf(c);
        return index >= 0
                ? Regex.literal("\\" + SHORT_NAMES.charAt(index))
                : Regex.union(Regex.literal(String.format("\\u%04x", c)), Regex.literal(String.format("\\u%04X", c)));
    }

    private static Regex anyChar() {
        Regex hex =
                Regex.bytes(ByteSet.range('0', '9').or(ByteSet.range('a', 'f')).or(ByteSet.range('A', 'F')));
        Regex d = Regex.bytes(ByteSet.of('d').or(ByteSet.of('D')));
        Regex notD = Regex.bytes(ByteSet.range('0', '9')
                .or(ByteSet.range('a', 'c'))
                .or(ByteSet.range('e', 'f'))
                .or(ByteSet.range('A', 'C'))
                .or(ByteSet.range('E', 'F')));
        Regex high = Regex.bytes(
                ByteSet.of('8').or(ByteSet.of('9')).or(ByteSet.range('a', 'b')).or(ByteSet.range('A', 'B')));
        Regex low = Regex.bytes(ByteSet.range('c', 'f').or(ByteSet.range('C', 'F')));
        Regex u = Regex.literal("\\u");
        Regex two = Regex.repeat(hex, 2, 2);
        return Regex.union(
                RegexParser.utf8(ESCAPED.not()),
                Regex.concat(
                        Regex.literal("\\"),
                        Regex.union("\"\\/bfnrt"
                                .chars()
                                .mapToObj(c -> Regex.range(c, c))
                                .toList())),
                Regex.concat(u, notD, hex, two),
                Regex.concat(u, d, Regex.range('0', '7'), two),
                Regex.concat(u, d, high, two, u, d, low, two));
    }

    /** In quotes. */
    static Regex quoted(Regex content) {
        Regex quote = Regex.literal("\"");
        return Regex.concat(quote, content, quote);
    }

    /** What is between the quotes of a string. */
    static Regex content(String text) {
        int[] points = text.codePoints().toArray();
        Regex all = Regex.EPSILON;
        for (int i = points.length - 1; i >= 0; i--) {
            if (points[i] >= Character.MIN_SURROGATE && points[i] <= Character.MAX_SURROGATE) {
                throw new ConstraintException("a string of the schema has half of a surrogate pair in it.");
            }
            all = Regex.concat(chars(CodePoints.of(points[i], points[i])), all);
        }
        return all;
    }

    /** The name of a member, with the colon after it. */
    static Regex name(Regex content) {
        return Regex.concat(quoted(content), SPACE, Regex.literal(":"), SPACE);
    }

    /** Whether the whole of a string matches what is between the quotes. */
    static boolean matches(Regex content, String text) {
        Regex rest = content;
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            rest = rest.derivative(b & 0xFF);
        }
        return rest.isNullable();
    }

    /** A string as strings with conditions write it, without quotes. */
    static String plain(String text) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            int index = SHORT.indexOf(c);
            if (index >= 0) {
                out.append('\\').append(SHORT_NAMES.charAt(index));
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    /** This value, as {@code enum} and {@code const} give it. */
    static Regex literal(JsonNode value) {
        return switch (value.getNodeType()) {
            case STRING -> quoted(content(value.textValue()));
            case NUMBER -> Regex.literal(number(value.decimalValue()));
            case ARRAY -> {
                List<Regex> items = new ArrayList<>();
                value.forEach(item -> items.add(literal(item)));
                yield list(ARRAY_BEGIN, items, ARRAY_END);
            }
            case OBJECT -> {
                List<Regex> members = new ArrayList<>();
                Iterator<Map.Entry<String, JsonNode>> fields = value.fields();
                while (fields.hasNext()) {
                    Map.Entry<String, JsonNode> field = fields.next();
                    members.add(Regex.concat(name(content(field.getKey())), literal(field.getValue())));
                }
                yield list(OBJECT_BEGIN, members, OBJECT_END);
            }
            default -> Regex.literal(value.asText());
        };
    }

    private static Regex list(Regex begin, List<Regex> items, Regex end) {
        Regex all = end;
        for (int i = items.size() - 1; i >= 0; i--) {
            all = Regex.concat(i == 0 ? begin : COMMA, items.get(i), all);
        }
        return items.isEmpty() ? Regex.concat(begin, end) : all;
    }

    /** A number with as few digits as there are. */
    static String number(BigDecimal value) {
        BigDecimal stripped = value.signum() == 0 ? BigDecimal.ZERO : value.stripTrailingZeros();
        boolean plain = stripped.precision() - stripped.scale() <= PLAIN_DIGITS && stripped.scale() <= PLAIN_DIGITS;
        return plain ? stripped.toPlainString() : stripped.toString();
    }
}
