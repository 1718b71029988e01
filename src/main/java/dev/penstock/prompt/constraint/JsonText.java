package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * How JSON is written (RFC 8259), in a shape in which no model can go on for ever between two values: where blanks may stand there is
 * at most one, or the end of a line with what indents the next.
 */
final class JsonText {
    private static final int MAX_INDENT = 64;
    private static final int MAX_DIGITS = 18;

    /** Between two tokens. */
    static final Regex BLANK = Regex.union(
            Regex.EPSILON,
            Regex.literal(" "),
            Regex.concat(
                    Regex.union(Regex.literal("\n"), Regex.literal("\r\n")),
                    Regex.repeat(Regex.union(Regex.literal(" "), Regex.literal("\t")), 0, MAX_INDENT)));

    static final Symbol COMMA = lex(Regex.concat(BLANK, Regex.literal(","), BLANK));
    static final Symbol COLON = lex(Regex.concat(BLANK, Regex.literal(":"), BLANK));
    static final Symbol OPEN_OBJECT = lex(Regex.concat(Regex.literal("{"), BLANK));
    static final Symbol CLOSE_OBJECT = lex(Regex.concat(BLANK, Regex.literal("}")));
    static final Symbol OPEN_ARRAY = lex(Regex.concat(Regex.literal("["), BLANK));
    static final Symbol CLOSE_ARRAY = lex(Regex.concat(BLANK, Regex.literal("]")));

    private static final Regex QUOTE = Regex.literal("\"");

    static final Regex DIGIT = Regex.range('0', '9');

    /** A character of a string in any way that it can be written. */
    static final Regex CHARACTER = Regex.union(plain(CodePoints.ALL), escapes());

    /** A string in any way that it can be written. */
    static final Regex STRING = quoted(Regex.repeat(CHARACTER, 0, Regex.UNBOUNDED));

    /** What stands between the quotes of a string in which each character is written in one way only. */
    static final Regex CANONICAL_BODY = Regex.repeat(canonical(CodePoints.ALL), 0, Regex.UNBOUNDED);

    /** The digits of an integer without its sign, as many as every reader keeps. */
    static final Regex NATURAL = Regex.union(
            Regex.literal("0"), Regex.concat(Regex.range('1', '9'), Regex.repeat(DIGIT, 0, MAX_DIGITS - 1)));

    static final Regex INTEGER = Regex.concat(Regex.repeat(Regex.literal("-"), 0, 1), NATURAL);

    private static final Regex EXPONENT = Regex.concat(
            Regex.union(Regex.literal("e"), Regex.literal("E")),
            Regex.repeat(Regex.union(Regex.literal("+"), Regex.literal("-")), 0, 1),
            Regex.repeat(DIGIT, 1, 2));

    /** A dot with digits, which no double needs more of. */
    static final Regex FRACTION = Regex.concat(Regex.literal("."), Regex.repeat(DIGIT, 1, MAX_DIGITS));

    static final Regex NUMBER = Regex.concat(INTEGER, Regex.repeat(FRACTION, 0, 1), Regex.repeat(EXPONENT, 0, 1));

    private static final Rule ANY = anyRule();

    private JsonText() {}

    private static Symbol lex(Regex regex) {
        return new Symbol.Lex(regex);
    }

    private static Rule anyRule() {
        Rule any = new Rule("value");
        Symbol value = new Symbol.Ref(any);
        Symbol member = new Symbol.Repeat(List.of(lex(STRING), COLON, value), 1, 1);
        any.define(List.of(new Symbol.Choice(List.of(
                List.of(lex(STRING)),
                List.of(lex(NUMBER)),
                List.of(lex(Regex.literal("true"))),
                List.of(lex(Regex.literal("false"))),
                List.of(lex(Regex.literal("null"))),
                list(OPEN_OBJECT, List.of(member), CLOSE_OBJECT),
                list(OPEN_ARRAY, List.of(value), CLOSE_ARRAY)))));
        return any;
    }

    private static List<Symbol> list(Symbol open, List<Symbol> item, Symbol close) {
        List<Symbol> more = new ArrayList<>(List.of(COMMA));
        more.addAll(item);
        List<Symbol> some = new ArrayList<>(item);
        some.add(new Symbol.Repeat(more, 0, Regex.UNBOUNDED));
        return List.of(open, new Symbol.Repeat(some, 0, 1), close);
    }

    /** Any value. */
    static List<Symbol> any() {
        return List.of(new Symbol.Ref(ANY));
    }

    /** A string with this between its quotes. */
    static Regex quoted(Regex body) {
        return Regex.concat(QUOTE, body, QUOTE);
    }

    /** Those of some code points that may stand for themselves in a string. */
    private static Regex plain(CodePoints set) {
        CodePoints free = CodePoints.of(0x20, Character.MAX_CODE_POINT);
        CodePoints special = CodePoints.of('"', '"').or(CodePoints.of('\\', '\\'));
        CodePoints allowed = set.not().or(free.not()).or(special).not();
        return RegexParser.utf8(allowed);
    }

    private static Regex escapes() {
        Regex hex = Regex.union(DIGIT, Regex.range('a', 'f'), Regex.range('A', 'F'));
        Regex d = Regex.union(Regex.literal("d"), Regex.literal("D"));
        Regex u = Regex.literal("\\u");
        Regex notD = Regex.union(
                DIGIT, Regex.range('a', 'c'), Regex.range('e', 'f'), Regex.range('A', 'C'), Regex.range('E', 'F'));
        Regex lowD = Regex.concat(d, Regex.range('0', '7'), hex, hex);
        Regex single = Regex.concat(u, Regex.union(Regex.concat(notD, hex, hex, hex), lowD));
        Regex high = Regex.concat(
                u,
                d,
                Regex.union(Regex.range('8', '9'), Regex.range('a', 'b'), Regex.range('A', 'B')),
                hex,
                hex);
        Regex low = Regex.concat(
                u, d, Regex.union(Regex.range('c', 'f'), Regex.range('C', 'F')), hex, hex);
        Regex named = Regex.concat(Regex.literal("\\"), Regex.union("\"\\/bfnrt"
                .chars()
                .mapToObj(c -> Regex.literal(Character.toString(c)))
                .toList()));
        return Regex.union(named, single, Regex.concat(high, low));
    }

    /** One of some code points, each written in one way: as itself, or else by its shortest escape. */
    static Regex canonical(CodePoints set) {
        List<Regex> options = new ArrayList<>();
        options.add(plain(set));
        for (CodePoints.Range range : set.ranges()) {
            for (int c = range.lo(); c <= Math.min(range.hi(), '\\'); c++) {
                if (c < 0x20 || c == '"' || c == '\\') {
                    options.add(Regex.literal(escaped(c)));
                }
            }
        }
        return Regex.union(options);
    }

    private static String escaped(int c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default -> String.format("\\u%04x", c);
        };
    }

    /** What stands between the quotes of this very string. */
    static Regex canonicalBody(String text) {
        StringBuilder json = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (c < 0x20 || c == '"' || c == '\\') {
                json.append(escaped(c));
            } else {
                json.appendCodePoint(c);
            }
        });
        return Regex.literal(json.toString());
    }

    /** This very value. */
    static List<Symbol> constant(JsonNode value) {
        if (value.isTextual()) {
            return List.of(lex(quoted(canonicalBody(value.textValue()))));
        }
        if (!value.isContainerNode()) {
            return List.of(lex(Regex.literal(value.toString())));
        }
        List<Symbol> symbols = new ArrayList<>();
        symbols.add(value.isObject() ? OPEN_OBJECT : OPEN_ARRAY);
        boolean first = true;
        if (value.isObject()) {
            for (Map.Entry<String, JsonNode> field : value.properties()) {
                if (!first) {
                    symbols.add(COMMA);
                }
                first = false;
                symbols.add(lex(quoted(canonicalBody(field.getKey()))));
                symbols.add(COLON);
                symbols.addAll(constant(field.getValue()));
            }
        } else {
            for (JsonNode element : value) {
                if (!first) {
                    symbols.add(COMMA);
                }
                first = false;
                symbols.addAll(constant(element));
            }
        }
        symbols.add(value.isObject() ? CLOSE_OBJECT : CLOSE_ARRAY);
        return symbols;
    }
}
