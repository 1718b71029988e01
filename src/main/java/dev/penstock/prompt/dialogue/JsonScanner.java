package dev.penstock.prompt.dialogue;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Follows one JSON value (RFC 8259) char by char, and keeps nothing of it but what it is inside of. Control characters in
 * strings are let pass: models write line breaks there, and {@link #escaped} mends them.
 */
final class JsonScanner {
    /** Nesting beyond this is refused; Jackson refuses 1,000. */
    private static final int MAX_DEPTH = 500;

    private enum State {
        VALUE,
        FIRST_ELEMENT,
        FIRST_KEY,
        KEY,
        COLON,
        NEXT,
        STRING,
        ESCAPE,
        HEX,
        WORD,
        MINUS,
        ZERO,
        INTEGER,
        POINT,
        FRACTION,
        EXPONENT_SIGN,
        EXPONENT_FIRST,
        EXPONENT
    }

    private State state = State.VALUE;
    /** Whether each of the open containers is an object. */
    private final BitSet objects = new BitSet();

    private int depth;
    /** Whether the string that is read is a key. */
    private boolean key;
    /** Hexadecimal digits that are still to come. */
    private int digits;
    /** What is left of true, false or null. */
    private String word = "";

    /** Takes the next char. */
    Step take(char c) {
        switch (state) {
            case STRING -> {
                if (c == '\\') {
                    state = State.ESCAPE;
                } else if (c == '"') {
                    if (!key) {
                        return valueEnds();
                    }
                    state = State.COLON;
                }
                return Step.MORE;
            }
            case ESCAPE -> {
                digits = 4;
                return next("\"\\/bfnrt".indexOf(c) >= 0 ? State.STRING : c == 'u' ? State.HEX : null);
            }
            case HEX -> {
                return next(Character.digit(c, 16) < 0 || c > 'f' ? null : --digits == 0 ? State.STRING : State.HEX);
            }
            case WORD -> {
                if (c != word.charAt(0)) {
                    return Step.BROKEN;
                }
                word = word.substring(1);
                return word.isEmpty() ? valueEnds() : Step.MORE;
            }
            case MINUS, ZERO, INTEGER, POINT, FRACTION, EXPONENT_SIGN, EXPONENT_FIRST, EXPONENT -> {
                return number(c);
            }
            case VALUE, FIRST_ELEMENT, FIRST_KEY, KEY, COLON, NEXT -> {
                return CharSink.isSpace(c) ? Step.MORE : structure(c);
            }
        }
        throw new IllegalStateException("no such state: " + state);
    }

    /** What a char of the value is to be written as: as it is, but for control characters in strings. */
    String escaped(char c) {
        if (c >= ' ' || state != State.STRING) {
            return String.valueOf(c);
        }
        return switch (c) {
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default -> "\\u%04x".formatted((int) c);
        };
    }

    private Step structure(char c) {
        return switch (state) {
            case FIRST_KEY -> c == '}' ? close() : key(c);
            case KEY -> key(c);
            case COLON -> next(c == ':' ? State.VALUE : null);
            case NEXT -> {
                boolean object = objects.get(depth);
                yield c == ','
                        ? next(object ? State.KEY : State.VALUE)
                        : c == (object ? '}' : ']') ? close() : Step.BROKEN;
            }
            case FIRST_ELEMENT -> c == ']' ? close() : value(c);
            default -> value(c);
        };
    }

    private Step value(char c) {
        return switch (c) {
            case '{' -> open(true);
            case '[' -> open(false);
            case '"' -> {
                key = false;
                yield next(State.STRING);
            }
            case '-' -> next(State.MINUS);
            case '0' -> next(State.ZERO);
            case '1', '2', '3', '4', '5', '6', '7', '8', '9' -> next(State.INTEGER);
            case 't' -> word("rue");
            case 'f' -> word("alse");
            case 'n' -> word("ull");
            default -> Step.BROKEN;
        };
    }

    private Step key(char c) {
        key = true;
        return next(c == '"' ? State.STRING : null);
    }

    private Step word(String rest) {
        word = rest;
        return next(State.WORD);
    }

    /** A number ends where something comes that can't go on with it. */
    private Step number(char c) {
        boolean digit = c >= '0' && c <= '9';
        State after = switch (state) {
            case MINUS -> c == '0' ? State.ZERO : digit ? State.INTEGER : null;
            case POINT, FRACTION -> digit ? State.FRACTION : null;
            case EXPONENT_SIGN -> c == '+' || c == '-' ? State.EXPONENT_FIRST : digit ? State.EXPONENT : null;
            case EXPONENT_FIRST, EXPONENT -> digit ? State.EXPONENT : null;
            default -> digit && state == State.INTEGER ? State.INTEGER : c == '.' ? State.POINT : null;
        };
        if (after == null && (c == 'e' || c == 'E') && endsNumber() && state != State.EXPONENT) {
            after = State.EXPONENT_SIGN;
        }
        if (after != null) {
            return next(after);
        }
        if (!endsNumber()) {
            return Step.BROKEN;
        }
        return valueEnds() == Step.DONE ? Step.OVER : take(c);
    }

    private boolean endsNumber() {
        return switch (state) {
            case ZERO, INTEGER, FRACTION, EXPONENT -> true;
            default -> false;
        };
    }

    private Step open(boolean object) {
        if (depth == MAX_DEPTH) {
            return Step.BROKEN;
        }
        objects.set(++depth, object);
        return next(object ? State.FIRST_KEY : State.FIRST_ELEMENT);
    }

    private Step close() {
        depth--;
        return valueEnds();
    }

    private Step valueEnds() {
        state = State.NEXT;
        return depth == 0 ? Step.DONE : Step.MORE;
    }

    private Step next(@Nullable State after) {
        if (after == null) {
            return Step.BROKEN;
        }
        state = after;
        return Step.MORE;
    }
}
