package dev.penstock.prompt.constraint;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Reads regular expressions as ECMAScript and Python write them alike (ECMA-262, with the flag u), over code points. What no finite
 * automaton can tell is refused: back references, looking ahead and behind, boundaries of words.
 */
final class RegexParser {
    private static final int MAX_CHARS = 10_000;
    private static final int MAX_DEPTH = 200;
    private static final int MAX_COUNT = 100_000;

    private static final Map<String, Integer> CATEGORIES = categories();

    private final String pattern;
    private final Function<CodePoints, Regex> chars;
    private int at;
    private int depth;

    private RegexParser(String pattern, Function<CodePoints, Regex> chars) {
        this.pattern = pattern;
        this.chars = chars;
    }

    /** What the whole of a pattern matches, in UTF-8. */
    static Regex whole(String pattern) {
        return parse(pattern, RegexParser::utf8, false);
    }

    /**
     * What has a match of a pattern in it, as JSON Schema's {@code pattern} means it: anchors hold it to the ends.
     *
     * @param chars how one of some code points is written
     */
    static Regex somewhere(String pattern, Function<CodePoints, Regex> chars) {
        return parse(pattern, chars, true);
    }

    /** One of some code points in UTF-8. */
    static Regex utf8(CodePoints set) {
        return Regex.union(
                set.ranges().stream().map(r -> Regex.codePoints(r.lo(), r.hi())).toList());
    }

    private static Regex parse(String pattern, Function<CodePoints, Regex> chars, boolean search) {
        if (pattern.length() > MAX_CHARS) {
            throw new ConstraintException("the pattern is longer than " + MAX_CHARS + " characters.");
        }
        RegexParser parser = new RegexParser(pattern, chars);
        List<Regex> options = new ArrayList<>();
        do {
            options.add(parser.branch(search));
        } while (parser.take('|'));
        if (parser.at < pattern.length()) {
            throw parser.wrong("this closes nothing");
        }
        return Regex.union(options);
    }

    /** One of the outermost alternatives, the only ones that anchors may stand in. */
    private Regex branch(boolean search) {
        Regex anything = Regex.repeat(chars.apply(CodePoints.ALL), 0, Regex.UNBOUNDED);
        boolean begins = false;
        while (take('^')) {
            begins = true;
        }
        Regex body = sequence();
        boolean ends = false;
        while (take('$')) {
            ends = true;
        }
        if (at < pattern.length() && pattern.charAt(at) != '|' && pattern.charAt(at) != ')') {
            throw wrong("an anchor can stand only at the ends of the pattern, or of its outermost alternatives");
        }
        if (!search) {
            return body;
        }
        return Regex.concat(begins ? Regex.EPSILON : anything, body, ends ? Regex.EPSILON : anything);
    }

    private Regex alternatives() {
        List<Regex> options = new ArrayList<>();
        do {
            options.add(sequence());
        } while (take('|'));
        return Regex.union(options);
    }

    private Regex sequence() {
        List<Regex> parts = new ArrayList<>();
        while (at < pattern.length()) {
            char c = pattern.charAt(at);
            if (c == '|' || c == ')' || c == '$') {
                break;
            }
            if (c == '^') {
                throw wrong("an anchor can stand only at the ends of the pattern, or of its outermost alternatives");
            }
            parts.add(quantified(atom()));
        }
        return Regex.concat(parts.toArray(Regex[]::new));
    }

    private Regex quantified(Regex atom) {
        int min;
        int max;
        if (take('*')) {
            min = 0;
            max = Regex.UNBOUNDED;
        } else if (take('+')) {
            min = 1;
            max = Regex.UNBOUNDED;
        } else if (take('?')) {
            min = 0;
            max = 1;
        } else if (at < pattern.length() && pattern.charAt(at) == '{' && isCount()) {
            at++;
            min = number();
            max = min;
            if (take(',')) {
                max = pattern.charAt(at) == '}' ? Regex.UNBOUNDED : number();
            }
            at++;
            if (max < min) {
                throw wrong("the upper bound is below the lower one");
            }
        } else {
            return atom;
        }
        if (at < pattern.length() && pattern.charAt(at) == '+') {
            throw wrong("possessive quantifiers are not supported");
        }
        // Greedy or not, the same texts match.
        take('?');
        if (at < pattern.length() && "*+?".indexOf(pattern.charAt(at)) >= 0) {
            throw wrong("there is nothing to repeat");
        }
        return Regex.repeat(atom, min, max);
    }

    /** Whether a brace begins a count; as in ECMAScript without u and in Python it else stands for itself. */
    private boolean isCount() {
        int i = at + 1;
        int digits = i;
        while (i < pattern.length() && Character.isDigit(pattern.charAt(i))) {
            i++;
        }
        if (i == digits) {
            return false;
        }
        if (i < pattern.length() && pattern.charAt(i) == ',') {
            i++;
            while (i < pattern.length() && Character.isDigit(pattern.charAt(i))) {
                i++;
            }
        }
        return i < pattern.length() && pattern.charAt(i) == '}';
    }

    private int number() {
        int from = at;
        while (at < pattern.length() && Character.isDigit(pattern.charAt(at))) {
            at++;
        }
        try {
            int number = Integer.parseInt(pattern.substring(from, at));
            if (number <= MAX_COUNT) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Refused below, as it is too large.
        }
        throw wrong("a count must be at most " + MAX_COUNT);
    }

    private Regex atom() {
        char c = pattern.charAt(at);
        return switch (c) {
            case '(' -> group();
            case '[' -> chars.apply(charClass());
            case '.' -> {
                at++;
                yield chars.apply(CodePoints.DOT);
            }
            case '\\' -> chars.apply(escape(false));
            case '*', '+', '?' -> throw wrong("there is nothing to repeat");
            default -> {
                int point = pattern.codePointAt(at);
                at += Character.charCount(point);
                yield chars.apply(CodePoints.of(point, point));
            }
        };
    }

    private Regex group() {
        if (++depth > MAX_DEPTH) {
            throw wrong("groups are nested too deeply");
        }
        at++;
        if (take('?')) {
            if (pattern.startsWith("P<", at) || pattern.startsWith("<", at)) {
                boolean behind = pattern.startsWith("<=", at) || pattern.startsWith("<!", at);
                int end = pattern.indexOf('>', at);
                if (behind || end < 0) {
                    throw wrong("looking behind is not supported");
                }
                at = end + 1;
            } else if (!take(':')) {
                throw wrong("looking ahead, and flags in groups, are not supported");
            }
        }
        Regex body = alternatives();
        if (at < pattern.length() && pattern.charAt(at) == '$') {
            throw wrong("an anchor can stand only at the ends of the pattern, or of its outermost alternatives");
        }
        if (!take(')')) {
            throw wrong("a group is not closed");
        }
        depth--;
        return body;
    }

    private CodePoints charClass() {
        at++;
        boolean negated = take('^');
        CodePoints set = CodePoints.NONE;
        boolean first = true;
        while (at < pattern.length() && (pattern.charAt(at) != ']' || (first && hasLaterEnd()))) {
            first = false;
            CodePoints lo = member();
            int single = single(lo);
            if (single >= 0
                    && at + 1 < pattern.length()
                    && pattern.charAt(at) == '-'
                    && pattern.charAt(at + 1) != ']') {
                at++;
                int hi = single(member());
                if (hi < single) {
                    throw wrong("a range of characters is in the wrong order");
                }
                set = set.or(CodePoints.of(single, hi));
            } else {
                set = set.or(lo);
            }
        }
        if (!take(']')) {
            throw wrong("a class of characters is not closed");
        }
        return negated ? set.not() : set;
    }

    /** Python takes a bracket that comes first for itself; ECMAScript has an empty class, which no text has. */
    private boolean hasLaterEnd() {
        return pattern.indexOf(']', at + 1) >= 0;
    }

    private CodePoints member() {
        if (at >= pattern.length()) {
            throw wrong("a class of characters is not closed");
        }
        if (pattern.charAt(at) == '\\') {
            return escape(true);
        }
        int point = pattern.codePointAt(at);
        at += Character.charCount(point);
        return CodePoints.of(point, point);
    }

    /** The only member of a set; negative if it has others. */
    private static int single(CodePoints set) {
        if (set.ranges().size() != 1) {
            return -1;
        }
        CodePoints.Range range = set.ranges().getFirst();
        return range.lo() == range.hi() ? range.lo() : -1;
    }

    private CodePoints escape(boolean inClass) {
        at++;
        if (at >= pattern.length()) {
            throw wrong("a backslash stands at the end");
        }
        char c = pattern.charAt(at++);
        return switch (c) {
            case 'd' -> CodePoints.DIGITS;
            case 'D' -> CodePoints.DIGITS.not();
            case 'w' -> CodePoints.WORD;
            case 'W' -> CodePoints.WORD.not();
            case 's' -> CodePoints.SPACE;
            case 'S' -> CodePoints.SPACE.not();
            case 'n' -> point('\n');
            case 'r' -> point('\r');
            case 't' -> point('\t');
            case 'f' -> point('\f');
            case 'v' -> point(0x0B);
            case '0' -> point(0);
            case 'x' -> point(hex(2));
            case 'u' -> point(unicode());
            case 'p' -> category();
            case 'P' -> category().not();
            case 'b' -> {
                if (inClass) {
                    yield point('\b');
                }
                throw wrong("boundaries of words are not supported");
            }
            case 'B' -> throw wrong("boundaries of words are not supported");
            case 'A', 'Z', 'z' -> throw wrong("write ^ and $ for the ends");
            case 'k', '1', '2', '3', '4', '5', '6', '7', '8', '9' -> throw wrong("back references are not supported");
            default -> {
                if (Character.isLetter(c)) {
                    throw wrong("the escape \\" + c + " is not known");
                }
                at--;
                int point = pattern.codePointAt(at);
                at += Character.charCount(point);
                yield point(point);
            }
        };
    }

    private static CodePoints point(int point) {
        return CodePoints.of(point, point);
    }

    private int hex(int digits) {
        if (at + digits <= pattern.length()) {
            try {
                int value = Integer.parseUnsignedInt(pattern, at, at + digits, 16);
                at += digits;
                return value;
            } catch (NumberFormatException e) {
                // Said below.
            }
        }
        throw wrong("hexadecimal digits are missing");
    }

    private int unicode() {
        if (take('{')) {
            int end = pattern.indexOf('}', at);
            if (end < 0 || end - at > 6) {
                throw wrong("hexadecimal digits are missing");
            }
            int value = hex(end - at);
            at++;
            return Math.min(value, Character.MAX_CODE_POINT);
        }
        int value = hex(4);
        if (Character.isHighSurrogate((char) value) && pattern.startsWith("\\u", at)) {
            at += 2;
            return Character.toCodePoint((char) value, (char) hex(4));
        }
        return value;
    }

    private CodePoints category() {
        int end = take('{') ? pattern.indexOf('}', at) : -1;
        if (end < 0) {
            throw wrong("the name of a category is missing");
        }
        String name = pattern.substring(at, end);
        at = end + 1;
        String plain = name.substring(name.indexOf('=') + 1);
        boolean general = name.indexOf('=') < 0 || name.startsWith("gc=") || name.startsWith("General_Category=");
        if (!general || CATEGORIES.keySet().stream().noneMatch(c -> c.startsWith(plain)) || plain.isEmpty()) {
            throw wrong("the category '" + name + "' is not supported");
        }
        long types = 0;
        for (Map.Entry<String, Integer> category : CATEGORIES.entrySet()) {
            if (category.getKey().startsWith(plain)) {
                types |= 1L << category.getValue();
            }
        }
        long wanted = types;
        return CodePoints.where(c -> (wanted >>> Character.getType(c) & 1) != 0);
    }

    private static Map<String, Integer> categories() {
        Map<String, Integer> all = new HashMap<>();
        all.put("Lu", (int) Character.UPPERCASE_LETTER);
        all.put("Ll", (int) Character.LOWERCASE_LETTER);
        all.put("Lt", (int) Character.TITLECASE_LETTER);
        all.put("Lm", (int) Character.MODIFIER_LETTER);
        all.put("Lo", (int) Character.OTHER_LETTER);
        all.put("Mn", (int) Character.NON_SPACING_MARK);
        all.put("Me", (int) Character.ENCLOSING_MARK);
        all.put("Mc", (int) Character.COMBINING_SPACING_MARK);
        all.put("Nd", (int) Character.DECIMAL_DIGIT_NUMBER);
        all.put("Nl", (int) Character.LETTER_NUMBER);
        all.put("No", (int) Character.OTHER_NUMBER);
        all.put("Zs", (int) Character.SPACE_SEPARATOR);
        all.put("Zl", (int) Character.LINE_SEPARATOR);
        all.put("Zp", (int) Character.PARAGRAPH_SEPARATOR);
        all.put("Cc", (int) Character.CONTROL);
        all.put("Cf", (int) Character.FORMAT);
        all.put("Co", (int) Character.PRIVATE_USE);
        all.put("Pd", (int) Character.DASH_PUNCTUATION);
        all.put("Ps", (int) Character.START_PUNCTUATION);
        all.put("Pe", (int) Character.END_PUNCTUATION);
        all.put("Pc", (int) Character.CONNECTOR_PUNCTUATION);
        all.put("Po", (int) Character.OTHER_PUNCTUATION);
        all.put("Pi", (int) Character.INITIAL_QUOTE_PUNCTUATION);
        all.put("Pf", (int) Character.FINAL_QUOTE_PUNCTUATION);
        all.put("Sm", (int) Character.MATH_SYMBOL);
        all.put("Sc", (int) Character.CURRENCY_SYMBOL);
        all.put("Sk", (int) Character.MODIFIER_SYMBOL);
        all.put("So", (int) Character.OTHER_SYMBOL);
        return all;
    }

    private boolean take(char c) {
        if (at < pattern.length() && pattern.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    private ConstraintException wrong(String what) {
        String place = pattern.length() <= 60 ? " '" + pattern + "'" : "";
        return new ConstraintException(
                "the pattern" + place + " can't be used, at character " + (Math.min(at, pattern.length()) + 1) + ": "
                        + what + ".");
    }
}
