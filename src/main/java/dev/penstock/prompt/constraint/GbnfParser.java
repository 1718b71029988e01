package dev.penstock.prompt.constraint;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads grammars in GBNF as llama.cpp describes it (grammars/README.md there): rules {@code name ::= alternatives}, of which
 * {@code root} is what a text is. A line that begins with {@code |} goes on with the rule before it. Tokens in angle brackets are
 * refused.
 */
final class GbnfParser {
    private static final int MAX_CHARS = 500_000;
    private static final int MAX_DEPTH = 200;
    private static final int MAX_COUNT = 100_000;
    private static final String START = "root";

    private final String text;
    private final Map<String, Rule> rules = new HashMap<>();
    private final Map<Rule, List<Symbol>> bodies = new LinkedHashMap<>();

    /** Where rules are first referred to. */
    private final Map<String, Integer> references = new LinkedHashMap<>();

    private int at;
    private int depth;

    private GbnfParser(String text) {
        this.text = text;
    }

    /**
     * What the rule {@code root} derives.
     *
     * @throws ConstraintException it is no such grammar; the message has line and column
     */
    static List<Symbol> parse(String text) {
        if (text.length() > MAX_CHARS) {
            throw new ConstraintException("the grammar is longer than " + MAX_CHARS + " characters.");
        }
        return new GbnfParser(text).grammar();
    }

    private List<Symbol> grammar() {
        skip(true);
        while (at < text.length()) {
            rule();
            skip(true);
        }
        references.forEach((name, place) -> {
            if (!bodies.containsKey(rules.get(name))) {
                throw wrong("the rule '" + name + "' is not defined", place);
            }
        });
        Rule start = rules.get(START);
        if (start == null) {
            throw new ConstraintException("the grammar has no rule '" + START + "'.");
        }
        new RegularParts(bodies).define();
        return List.of(new Symbol.Ref(start));
    }

    private void rule() {
        int from = at;
        Rule rule = rules.computeIfAbsent(name(), Rule::new);
        if (bodies.containsKey(rule)) {
            throw wrong("the rule '" + rule.name() + "' is defined twice", from);
        }
        skip(false);
        if (!take("::=")) {
            throw wrong("'::=' is missing after the name of the rule", at);
        }
        skip(true);
        bodies.put(rule, alternatives());
        if (at < text.length() && text.charAt(at) != '\n' && text.charAt(at) != '\r') {
            throw wrong("'" + Character.toString(text.codePointAt(at)) + "' is not expected", at);
        }
    }

    private String name() {
        int from = at;
        while (at < text.length() && isNameChar(text.charAt(at))) {
            at++;
        }
        if (from == at) {
            throw wrong("the name of a rule is missing", at);
        }
        return text.substring(from, at);
    }

    private static boolean isNameChar(char c) {
        return c == '-' || c == '_' || (c < 0x80 && Character.isLetterOrDigit(c));
    }

    private List<Symbol> alternatives() {
        List<List<Symbol>> options = new ArrayList<>();
        options.add(sequence());
        while (nextAlternative()) {
            skip(true);
            options.add(sequence());
        }
        return options.size() == 1 ? options.getFirst() : List.of(new Symbol.Choice(options));
    }

    /** A bar, be it on this line or at the beginning of one below. */
    private boolean nextAlternative() {
        int before = at;
        skip(true);
        if (take("|")) {
            return true;
        }
        at = before;
        return false;
    }

    private List<Symbol> sequence() {
        List<Symbol> symbols = new ArrayList<>();
        while (at < text.length()) {
            List<Symbol> element = element();
            if (element.isEmpty()) {
                break;
            }
            symbols.addAll(repeated(element));
            skip(depth > 0);
        }
        return symbols;
    }

    /** The next thing that quantifiers may follow; empty if the sequence is over. */
    private List<Symbol> element() {
        char c = text.charAt(at);
        return switch (c) {
            case '"' -> List.of(new Symbol.Lex(literal()));
            case '[' -> List.of(new Symbol.Lex(RegexParser.utf8(charClass())));
            case '.' -> {
                at++;
                yield List.of(new Symbol.Lex(RegexParser.utf8(CodePoints.ALL)));
            }
            case '(' -> group();
            case '<', '!' -> throw wrong("tokens in angle brackets are not supported", at);
            case '*', '+', '?', '{' -> throw wrong("there is nothing to repeat", at);
            default -> {
                if (!isNameChar(c)) {
                    yield List.of();
                }
                int from = at;
                String name = name();
                references.putIfAbsent(name, from);
                yield List.of(new Symbol.Ref(rules.computeIfAbsent(name, Rule::new)));
            }
        };
    }

    private List<Symbol> group() {
        int from = at++;
        if (++depth > MAX_DEPTH) {
            throw wrong("groups are nested too deeply", from);
        }
        skip(true);
        List<Symbol> body = alternatives();
        skip(true);
        if (!take(")")) {
            throw at < text.length()
                    ? wrong("'" + Character.toString(text.codePointAt(at)) + "' is not expected", at)
                    : wrong("a group is not closed", from);
        }
        depth--;
        return body.isEmpty() ? List.of(new Symbol.Lex(Regex.EPSILON)) : body;
    }

    private List<Symbol> repeated(List<Symbol> element) {
        List<Symbol> all = element;
        for (int times = 0; times < MAX_DEPTH; times++) {
            skip(depth > 0);
            if (take("*")) {
                all = List.of(new Symbol.Repeat(all, 0, Regex.UNBOUNDED));
            } else if (take("+")) {
                all = List.of(new Symbol.Repeat(all, 1, Regex.UNBOUNDED));
            } else if (take("?")) {
                all = List.of(new Symbol.Repeat(all, 0, 1));
            } else if (take("{")) {
                all = List.of(counted(all));
            } else {
                return all;
            }
        }
        throw wrong("there are too many quantifiers in a row", at);
    }

    private Symbol counted(List<Symbol> items) {
        skip(false);
        int min = number();
        int max = min;
        skip(false);
        if (take(",")) {
            skip(false);
            boolean bounded = at < text.length() && Character.isDigit(text.charAt(at));
            max = bounded ? number() : Regex.UNBOUNDED;
            skip(false);
        }
        if (!take("}")) {
            throw wrong("'}' is missing after a count", at);
        }
        if (max < min) {
            throw wrong("the upper bound of a count is below the lower one", at);
        }
        return new Symbol.Repeat(items, min, max);
    }

    private int number() {
        int from = at;
        long number = 0;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            number = Math.min(MAX_COUNT + 1L, number * 10 + text.charAt(at) - '0');
            at++;
        }
        if (from == at || number > MAX_COUNT) {
            throw wrong("a count must be a number of at most " + MAX_COUNT, from);
        }
        return (int) number;
    }

    private Regex literal() {
        int from = at++;
        StringBuilder literal = new StringBuilder();
        while (!take("\"")) {
            literal.appendCodePoint(character("a literal is not closed", from));
        }
        return Regex.literal(literal.toString());
    }

    private CodePoints charClass() {
        int from = at++;
        boolean negated = take("^");
        List<CodePoints> parts = new ArrayList<>();
        while (!take("]")) {
            int lo = character("a class of characters is not closed", from);
            int hi = lo;
            boolean isRange = at + 1 < text.length() && text.charAt(at) == '-' && text.charAt(at + 1) != ']';
            if (isRange) {
                at++;
                hi = character("a class of characters is not closed", from);
            }
            if (hi < lo) {
                throw wrong("a range of characters is in the wrong order", from);
            }
            parts.add(CodePoints.of(lo, hi));
        }
        CodePoints set = CodePoints.anyOf(parts);
        return negated ? set.not() : set;
    }

    /** The next code point of a literal or class, which may be escaped; {@code unclosed} says what is wrong if the line ends. */
    private int character(String unclosed, int from) {
        if (at >= text.length() || text.charAt(at) == '\n') {
            throw wrong(unclosed, from);
        }
        int place = at;
        int point = text.codePointAt(at);
        at += Character.charCount(point);
        if (point != '\\') {
            return valid(point, place);
        }
        if (at >= text.length()) {
            throw wrong(unclosed, from);
        }
        char c = text.charAt(at++);
        return switch (c) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case '\\', '"', '[', ']', '-', '^' -> c;
            case 'x' -> hex(2, place);
            case 'u' -> hex(4, place);
            case 'U' -> hex(8, place);
            default -> throw wrong("the escape \\" + c + " is not known", place);
        };
    }

    private int hex(int digits, int place) {
        int end = at + digits;
        int value = 0;
        for (; at < end; at++) {
            int digit = at < text.length() && text.charAt(at) < 0x80 ? Character.digit(text.charAt(at), 16) : -1;
            if (digit < 0) {
                throw wrong(digits + " hexadecimal digits are expected", place);
            }
            value = value << 4 | digit;
        }
        return valid(value, place);
    }

    private int valid(int point, int place) {
        boolean surrogate = point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE;
        if (!Character.isValidCodePoint(point) || surrogate) {
            throw wrong("this is no character of Unicode", place);
        }
        return point;
    }

    /** Over spaces and comments; over ends of lines too if they mean nothing here. */
    private void skip(boolean lines) {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '#') {
                int end = text.indexOf('\n', at);
                at = end < 0 ? text.length() : end;
            } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
                at++;
            } else {
                return;
            }
        }
    }

    private boolean take(String expected) {
        if (text.startsWith(expected, at)) {
            at += expected.length();
            return true;
        }
        return false;
    }

    private ConstraintException wrong(String what, int place) {
        int line = (int) text.substring(0, place).chars().filter(c -> c == '\n').count() + 1;
        int column = place - text.lastIndexOf('\n', place - 1);
        return new ConstraintException(
                "the grammar can't be used, at line " + line + ", column " + column + ": " + what + ".");
    }
}
