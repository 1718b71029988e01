package dev.penstock.prompt;

/**
 * Follows one stop string through a text, code point by code point, in amortised constant time (Knuth, Morris and Pratt,
 * "Fast pattern matching in strings", 1977). Code points, not chars: half of a surrogate pair never matches.
 */
final class StopMatcher {
    private final String text;
    private final int[] pattern;
    /** failure[i]: length of the longest proper border of the first i + 1 code points. */
    private final int[] failure;
    /** chars[i]: UTF-16 length of the first i code points. */
    private final int[] chars;

    private int matched;

    /** A matcher at the beginning of a text; {@code stop} must not be empty. */
    StopMatcher(String stop) {
        if (stop.isEmpty()) {
            throw new IllegalArgumentException("a stop string must not be empty");
        }
        text = stop;
        pattern = stop.codePoints().toArray();
        failure = new int[pattern.length];
        chars = new int[pattern.length + 1];
        for (int i = 0; i < pattern.length; i++) {
            chars[i + 1] = chars[i] + Character.charCount(pattern[i]);
            if (i > 0) {
                failure[i] = next(failure[i - 1], pattern[i]);
            }
        }
    }

    /** Takes the next code point; true when the stop string ends with it. Then {@link #passOver} comes before the next. */
    boolean push(int codePoint) {
        matched = next(matched, codePoint);
        return matched == pattern.length;
    }

    /** Goes on after a stop string that doesn't count; its end may be the beginning of one that does. */
    void passOver() {
        matched = failure[matched - 1];
    }

    /** UTF-16 length of the longest end of the text that is a beginning of the stop string. */
    int heldChars() {
        return chars[matched];
    }

    String text() {
        return text;
    }

    private int next(int state, int codePoint) {
        int s = state;
        while (s > 0 && pattern[s] != codePoint) {
            s = failure[s - 1];
        }
        return pattern[s] == codePoint ? s + 1 : 0;
    }
}
