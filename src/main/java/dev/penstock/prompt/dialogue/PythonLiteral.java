package dev.penstock.prompt.dialogue;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.math.BigDecimal;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Turns a Python literal into JSON: strings, numbers, True, False, None, lists, tuples, and dicts with strings for keys
 * (The Python Language Reference, 2.4 and 6.2). JSON's own words are taken too.
 */
final class PythonLiteral {
    private static final int MAX_DEPTH = 100;
    /** Longer numbers would cost time: reading one is quadratic. */
    private static final int MAX_DIGITS = 400;

    private static final Map<String, String> WORDS =
            Map.of("True", "true", "False", "false", "None", "null", "true", "true", "false", "false", "null", "null");

    private final String text;
    private final StringBuilder json = new StringBuilder();
    private int at;

    private PythonLiteral(String text) {
        this.text = text;
    }

    /** The literal as JSON, or null if it is none. */
    static @Nullable String toJson(String text) {
        PythonLiteral literal = new PythonLiteral(text.strip());
        return literal.value(0) && literal.at == literal.text.length() ? literal.json.toString() : null;
    }

    /** A text as a JSON string. */
    static String quoted(String text) {
        return '"' + String.valueOf(JsonStringEncoder.getInstance().quoteAsString(text)) + '"';
    }

    private boolean value(int depth) {
        if (depth > MAX_DEPTH || at == text.length()) {
            return false;
        }
        return switch (text.charAt(at)) {
            case '\'', '"' -> string();
            case '[' -> row(']', depth);
            case '(' -> row(')', depth);
            case '{' -> dict(depth);
            default -> word();
        };
    }

    private boolean row(char close, int depth) {
        at++;
        json.append('[');
        for (boolean first = true; !ends(close); first = false) {
            if (!first) {
                json.append(", ");
            }
            if (!value(depth + 1) || !comma(close)) {
                return false;
            }
        }
        json.append(']');
        return closed();
    }

    private boolean dict(int depth) {
        at++;
        json.append('{');
        for (boolean first = true; !ends('}'); first = false) {
            if (!first) {
                json.append(", ");
            }
            if (at == text.length() || "'\"".indexOf(text.charAt(at)) < 0 || !string() || !ends(':') || !closed()) {
                return false;
            }
            json.append(": ");
            space();
            if (!value(depth + 1) || !comma('}')) {
                return false;
            }
        }
        json.append('}');
        return closed();
    }

    /** Whether the mark comes next, after white space. */
    private boolean ends(char mark) {
        space();
        return at < text.length() && text.charAt(at) == mark;
    }

    private boolean closed() {
        at++;
        return true;
    }

    /** Goes over a comma; without one the container must end. */
    private boolean comma(char close) {
        if (ends(',')) {
            at++;
            space();
            return true;
        }
        return ends(close);
    }

    private void space() {
        while (at < text.length() && CharSink.isSpace(text.charAt(at))) {
            at++;
        }
    }

    private boolean word() {
        int begin = at;
        while (at < text.length()
                && (Character.isLetterOrDigit(text.charAt(at)) || "+-._".indexOf(text.charAt(at)) >= 0)) {
            at++;
        }
        String word = text.substring(begin, at);
        String known = WORDS.get(word);
        if (known != null) {
            json.append(known);
            return true;
        }
        if (word.length() > MAX_DIGITS) {
            return false;
        }
        try {
            json.append(new BigDecimal(word.replace("_", "")));
            return true;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    private boolean string() {
        char quote = text.charAt(at++);
        StringBuilder value = new StringBuilder();
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == quote) {
                json.append(quoted(value.toString()));
                return true;
            }
            if (c != '\\') {
                value.append(c);
            } else if (!escape(value)) {
                return false;
            }
        }
        return false;
    }

    private boolean escape(StringBuilder value) {
        if (at == text.length()) {
            return false;
        }
        char c = text.charAt(at++);
        switch (c) {
            case 'n' -> value.append('\n');
            case 't' -> value.append('\t');
            case 'r' -> value.append('\r');
            case 'b' -> value.append('\b');
            case 'f' -> value.append('\f');
            case '\\', '\'', '"', '/' -> value.append(c);
            case '\n' -> {
                // A line that goes on.
            }
            case 'x' -> {
                return code(value, 2);
            }
            case 'u' -> {
                return code(value, 4);
            }
            case 'U' -> {
                return code(value, 8);
            }
            default -> value.append('\\').append(c);
        }
        return true;
    }

    private boolean code(StringBuilder value, int digits) {
        if (at + digits > text.length()) {
            return false;
        }
        try {
            int point = Integer.parseUnsignedInt(text, at, at + digits, 16);
            if (!Character.isValidCodePoint(point)) {
                return false;
            }
            value.appendCodePoint(point);
            at += digits;
            return true;
        } catch (NumberFormatException e) {
            return false;
        }
    }
}
