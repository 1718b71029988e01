package dev.penstock.prompt.template;

import dev.penstock.prompt.template.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Cuts a template into tokens, as Jinja2's lexer does with {@code trim_blocks} and {@code lstrip_blocks} on, the way
 * Hugging Face sets them: a block tag or comment takes the line break behind it and the blanks before it on its line;
 * {@code -} takes all white space on its side, {@code +} leaves it.
 */
final class Lexer {
    private static final String[] OPERATORS = {
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=",
        ".", ":", "|", ","
    };

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private final Deque<Character> open = new ArrayDeque<>();
    private int at;
    /** Whether the text at {@code at} begins a line, as far as the tag before it says. */
    private boolean lineStart = true;

    private Lexer(String source) {
        this.source = source;
    }

    /** Line breaks become {@code \n}, and one at the very end goes, as Jinja2 does by default. */
    static String normalize(String template) {
        String text = template.replace("\r\n", "\n").replace('\r', '\n');
        return text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    }

    /** The tokens of a normalized template, the last one {@link Kind#END}. */
    static List<Token> lex(String source) {
        Lexer lexer = new Lexer(source);
        while (lexer.at < source.length()) {
            lexer.dataAndTag();
        }
        lexer.tokens.add(new Token(Kind.END, "", source.length()));
        return lexer.tokens;
    }

    private void dataAndTag() {
        int tag = nextTag();
        if (tag < 0) {
            data(at, source.length());
            at = source.length();
            return;
        }
        char type = source.charAt(tag + 1);
        char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
        int end = tag;
        if (sign == '-') {
            while (end > at && Text.isSpace(source.charAt(end - 1))) {
                end--;
            }
        } else if (sign != '+' && type != '{') {
            int line = tag;
            while (line > at && Text.isSpace(source.charAt(line - 1)) && source.charAt(line - 1) != '\n') {
                line--;
            }
            // Only blanks lie between the tag and the beginning of its line.
            boolean begins = line > at ? source.charAt(line - 1) == '\n' : lineStart;
            end = begins ? line : tag;
        }
        data(at, end);
        at = tag + (sign == '-' || sign == '+' ? 3 : 2);
        switch (type) {
            case '#' -> comment(tag);
            case '%' -> {
                int raw = rawBegin();
                if (raw >= 0) {
                    raw(raw, tag);
                } else {
                    tokens.add(new Token(Kind.BLOCK_BEGIN, "", tag));
                    inside(tag, '%', Kind.BLOCK_END);
                }
            }
            default -> {
                tokens.add(new Token(Kind.VARIABLE_BEGIN, "", tag));
                inside(tag, '}', Kind.VARIABLE_END);
            }
        }
        lineStart = source.charAt(at - 1) == '\n';
    }

    private void data(int from, int to) {
        if (to > from) {
            tokens.add(new Token(Kind.DATA, source.substring(from, to), from));
        }
    }

    private int nextTag() {
        for (int i = source.indexOf('{', at); i >= 0 && i + 1 < source.length(); i = source.indexOf('{', i + 1)) {
            char c = source.charAt(i + 1);
            if (c == '%' || c == '{' || c == '#') {
                return i;
            }
        }
        return -1;
    }

    private boolean isBlank(int from, int to) {
        for (int i = from; i < to; i++) {
            if (!Text.isSpace(source.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    private void comment(int tag) {
        int end = source.indexOf("#}", at);
        if (end < 0) {
            throw new TemplateFault("a comment has no end", tag);
        }
        char sign = end > at ? source.charAt(end - 1) : ' ';
        at = end + 2;
        afterTag(sign);
    }

    /** Behind a block tag or comment: what its sign says, else one line break goes. */
    private void afterTag(char sign) {
        if (sign == '-') {
            skipSpace();
        } else if (sign != '+' && at < source.length() && source.charAt(at) == '\n') {
            at++;
        }
    }

    private void skipSpace() {
        while (at < source.length() && Text.isSpace(source.charAt(at))) {
            at++;
        }
    }

    /** The place behind a raw tag that begins here, or -1 if it is another tag. */
    private int rawBegin() {
        int from = at;
        skipSpace();
        boolean raw = source.startsWith("raw", at);
        at += 3;
        if (raw) {
            skipSpace();
            boolean strip = at < source.length() && source.charAt(at) == '-';
            if (source.startsWith("%}", at + (strip ? 1 : 0))) {
                at += strip ? 3 : 2;
                if (strip) {
                    skipSpace();
                }
                int behind = at;
                at = from;
                return behind;
            }
        }
        at = from;
        return -1;
    }

    private void raw(int from, int tag) {
        int search = from;
        while (true) {
            int end = source.indexOf("{%", search);
            if (end < 0) {
                throw new TemplateFault("a raw block has no {% endraw %}", tag);
            }
            at = end + 2;
            char before = at < source.length() ? source.charAt(at) : ' ';
            if (before == '-' || before == '+') {
                at++;
            }
            skipSpace();
            if (source.startsWith("endraw", at)) {
                at += 6;
                skipSpace();
                char after = at < source.length() ? source.charAt(at) : ' ';
                if (source.startsWith("%}", at + (after == '-' || after == '+' ? 1 : 0))) {
                    int to = end;
                    if (before == '-') {
                        while (to > from && Text.isSpace(source.charAt(to - 1))) {
                            to--;
                        }
                    } else if (before != '+') {
                        int line = Math.max(from, source.lastIndexOf('\n', end - 1) + 1);
                        if ((line > from || source.charAt(from - 1) == '\n') && isBlank(line, end)) {
                            to = line;
                        }
                    }
                    data(from, to);
                    at += after == '-' || after == '+' ? 3 : 2;
                    afterTag(after);
                    return;
                }
            }
            search = end + 2;
        }
    }

    /** The tokens of one tag, up to and with its end. */
    private void inside(int tag, char ending, Kind endKind) {
        open.clear();
        while (true) {
            skipSpace();
            if (at >= source.length()) {
                throw new TemplateFault("a tag has no end: " + (ending == '%' ? "%}" : "}}") + " is missing", tag);
            }
            if (open.isEmpty() && tagEnd(ending, endKind)) {
                return;
            }
            char c = source.charAt(at);
            if (Character.isUnicodeIdentifierStart(source.codePointAt(at)) || c == '_') {
                name();
            } else if (c >= '0' && c <= '9') {
                number();
            } else if (c == '\'' || c == '"') {
                string(c);
            } else {
                operator();
            }
        }
    }

    private boolean tagEnd(char ending, Kind endKind) {
        char sign = source.charAt(at);
        boolean signed = sign == '-' || sign == '+' && ending == '%';
        int end = signed ? at + 1 : at;
        if (!source.startsWith(ending == '%' ? "%}" : "}}", end)) {
            return false;
        }
        tokens.add(new Token(endKind, "", at));
        at = end + 2;
        if (ending == '%') {
            afterTag(sign);
        } else if (sign == '-') {
            skipSpace();
        }
        return true;
    }

    private void name() {
        int from = at;
        while (at < source.length()) {
            int codePoint = source.codePointAt(at);
            if (codePoint != '_' && !Character.isUnicodeIdentifierPart(codePoint)) {
                break;
            }
            at += Character.charCount(codePoint);
        }
        tokens.add(new Token(Kind.NAME, source.substring(from, at), from));
    }

    private void number() {
        int from = at;
        boolean based =
                source.charAt(at) == '0' && at + 1 < source.length() && "xXoObB".indexOf(source.charAt(at + 1)) >= 0;
        if (based) {
            at += 2;
        }
        boolean fraction = false;
        while (at < source.length()) {
            char c = source.charAt(at);
            if (!based && c == '.' && !fraction && digitAt(at + 1) && !afterDot(from)) {
                fraction = true;
                at++;
            } else if (!based && (c == 'e' || c == 'E') && exponentAt(at + 1) && !afterDot(from)) {
                at += 2;
                while (digitAt(at)) {
                    at++;
                }
                fraction = true;
                break;
            } else if (c >= '0' && c <= '9' || c == '_' || based && Character.digit(c, 16) >= 0) {
                at++;
            } else {
                break;
            }
        }
        String text = source.substring(from, at).replace("_", "");
        tokens.add(new Token(fraction ? Kind.FLOAT : Kind.INTEGER, text, from));
    }

    /** In {@code x.0.1} the zero is an index, not the beginning of a fraction. */
    private boolean afterDot(int from) {
        return from > 0 && source.charAt(from - 1) == '.';
    }

    private boolean digitAt(int place) {
        return place < source.length() && source.charAt(place) >= '0' && source.charAt(place) <= '9';
    }

    private boolean exponentAt(int place) {
        boolean signed = place < source.length() && (source.charAt(place) == '+' || source.charAt(place) == '-');
        return digitAt(signed ? place + 1 : place);
    }

    private void string(char quote) {
        int from = at++;
        StringBuilder value = new StringBuilder();
        while (at < source.length() && source.charAt(at) != quote) {
            char c = source.charAt(at++);
            if (c == '\\') {
                escape(value, from);
            } else {
                value.append(c);
            }
        }
        if (at >= source.length()) {
            throw new TemplateFault("a string has no end", from);
        }
        at++;
        tokens.add(new Token(Kind.STRING, value.toString(), from));
    }

    /** Python's escapes; an unknown one stands for itself, backslash and all. */
    private void escape(StringBuilder value, int from) {
        if (at >= source.length()) {
            return;
        }
        char c = source.charAt(at++);
        switch (c) {
            case '\n' -> {
                // A line break behind a backslash is no part of the string.
            }
            case '\\', '\'', '"' -> value.append(c);
            case 'n' -> value.append('\n');
            case 't' -> value.append('\t');
            case 'r' -> value.append('\r');
            case 'a' -> value.append('\u0007');
            case 'b' -> value.append('\b');
            case 'f' -> value.append('\f');
            case 'v' -> value.append('\u000B');
            case 'x' -> value.appendCodePoint(hex(2, from));
            case 'u' -> value.appendCodePoint(hex(4, from));
            case 'U' -> value.appendCodePoint(hex(8, from));
            default -> {
                int digits = 0;
                int octal = 0;
                at--;
                while (digits < 3 && at < source.length() && source.charAt(at) >= '0' && source.charAt(at) <= '7') {
                    octal = octal * 8 + source.charAt(at++) - '0';
                    digits++;
                }
                if (digits > 0) {
                    value.appendCodePoint(octal);
                } else {
                    value.append('\\').append(c);
                    at++;
                }
            }
        }
    }

    private int hex(int digits, int from) {
        int value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = at < source.length() ? Character.digit(source.charAt(at), 16) : -1;
            if (digit < 0 || value > Character.MAX_CODE_POINT >> 4) {
                throw new TemplateFault("a string has a \\x, \\u or \\U without its " + digits + " digits", from);
            }
            value = value * 16 + digit;
            at++;
        }
        if (value > Character.MAX_CODE_POINT) {
            throw new TemplateFault("a string names a character beyond U+10FFFF", from);
        }
        return value;
    }

    private void operator() {
        for (String operator : OPERATORS) {
            if (source.startsWith(operator, at)) {
                balance(operator.charAt(0));
                tokens.add(new Token(Kind.OPERATOR, operator, at));
                at += operator.length();
                return;
            }
        }
        throw new TemplateFault("unexpected character '" + Character.toString(source.codePointAt(at)) + "'", at);
    }

    private void balance(char c) {
        switch (c) {
            case '(' -> open.push(')');
            case '[' -> open.push(']');
            case '{' -> open.push('}');
            case ')', ']', '}' -> {
                if (open.isEmpty() || open.pop() != c) {
                    throw new TemplateFault("unexpected '" + c + "'", at);
                }
            }
            default -> {
                // Others come alone.
            }
        }
    }
}
