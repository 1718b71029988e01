package dev.penstock.prompt.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;

/** Python's rules for strings, which are sequences of code points. */
final class Text {
    private static final String LINE_BREAKS = "\n\r\u000B\f\u001C\u001D\u001E\u0085\u2028\u2029";

    private Text() {}

    /** Python's {@code str.isspace} for one character. */
    static boolean isSpace(int codePoint) {
        return codePoint == ' '
                || codePoint >= '\t' && codePoint <= '\r'
                || codePoint > 0x1B && (Character.isWhitespace(codePoint) || Character.isSpaceChar(codePoint))
                || codePoint == 0x85;
    }

    /** For messages: what comes from a template is not repeated at full length. */
    static String shorten(String text) {
        return text.length() <= 80 ? text : text.substring(0, 77) + "...";
    }

    /** The characters as strings of one code point each. */
    static List<Object> characters(String text) {
        List<Object> characters = new ArrayList<>(text.length());
        text.codePoints().forEach(c -> characters.add(Character.toString(c)));
        return characters;
    }

    /** Order by code points. */
    static int compare(String a, String b) {
        int length = Math.min(a.length(), b.length());
        for (int i = 0; i < length; i++) {
            char s = a.charAt(i);
            char t = b.charAt(i);
            if (s != t) {
                boolean surrogate = Character.isSurrogate(s);
                return surrogate == Character.isSurrogate(t) ? Character.compare(s, t) : surrogate ? 1 : -1;
            }
        }
        return Integer.compare(a.length(), b.length());
    }

    static String strip(String text, IntPredicate unwanted, boolean left, boolean right) {
        int from = 0;
        int to = text.length();
        while (left && from < to && unwanted.test(text.codePointAt(from))) {
            from += Character.charCount(text.codePointAt(from));
        }
        while (right && to > from && unwanted.test(text.codePointBefore(to))) {
            to -= Character.charCount(text.codePointBefore(to));
        }
        return text.substring(from, to);
    }

    static List<Object> lines(String text, boolean keepEnds) {
        List<Object> lines = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            if (LINE_BREAKS.indexOf(text.charAt(i)) >= 0) {
                int end = i;
                if (text.charAt(i) == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n') {
                    i++;
                }
                lines.add(text.substring(from, keepEnds ? i + 1 : end));
                from = i + 1;
            }
        }
        if (from < text.length()) {
            lines.add(text.substring(from));
        }
        return lines;
    }

    /** Replaces the first {@code count} places, all of them if it is negative. */
    static String replace(String text, String old, String with, long count, Budget budget) {
        budget.read(text);
        if (count == 0) {
            return text;
        }
        if (old.isEmpty()) {
            return interleave(text, with, count, budget);
        }
        long found = 0;
        for (int at = text.indexOf(old); at >= 0 && found != count; at = text.indexOf(old, at + old.length())) {
            found++;
        }
        if (found == 0) {
            return text;
        }
        long length = text.length() + found * ((long) with.length() - old.length());
        budget.text(length);
        budget.steps(found);
        StringBuilder result = new StringBuilder((int) length);
        int from = 0;
        for (long i = 0; i < found; i++) {
            int at = text.indexOf(old, from);
            result.append(text, from, at).append(with);
            from = at + old.length();
        }
        return result.append(text, from, text.length()).toString();
    }

    /** An empty string is found before each character and at the end. */
    private static String interleave(String text, String with, long count, Budget budget) {
        long places = text.codePointCount(0, text.length()) + 1L;
        long times = count < 0 ? places : Math.min(count, places);
        budget.steps(places);
        budget.text(text.length() + times * with.length());
        StringBuilder result = new StringBuilder();
        int at = 0;
        for (long i = 0; i < places; i++) {
            if (i < times) {
                result.append(with);
            }
            if (at < text.length()) {
                int end = at + Character.charCount(text.codePointAt(at));
                result.append(text, at, end);
                at = end;
            }
        }
        return result.toString();
    }

    static String upper(String text) {
        return text.toUpperCase(Locale.ROOT);
    }

    static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = Character.charCount(text.codePointAt(0));
        return titleCase(text.substring(0, first)) + lower(text.substring(first));
    }

    /** Python's {@code str.title}: the first letter of each run of letters is upper, the others are lower case. */
    static String title(String text) {
        StringBuilder result = new StringBuilder(text.length());
        boolean inWord = false;
        for (int at = 0; at < text.length(); ) {
            int codePoint = text.codePointAt(at);
            String character = Character.toString(codePoint);
            result.append(inWord ? lower(character) : titleCase(character));
            inWord = isCased(codePoint);
            at += character.length();
        }
        return result.toString();
    }

    private static String titleCase(String character) {
        int codePoint = character.codePointAt(0);
        int title = Character.toTitleCase(codePoint);
        if (title != codePoint) {
            return Character.toString(title);
        }
        String upper = upper(character);
        int first = upper.offsetByCodePoints(0, 1);
        return upper.substring(0, first) + lower(upper.substring(first));
    }

    static boolean isCased(int codePoint) {
        return Character.isUpperCase(codePoint) || Character.isLowerCase(codePoint) || Character.isTitleCase(codePoint);
    }

    /** Whether there is a character and all of them pass. */
    static boolean all(String text, IntPredicate test) {
        return !text.isEmpty() && text.codePoints().allMatch(test);
    }

    /** Whether there are cased characters and all of those are of that case. */
    static boolean isCase(String text, boolean upper) {
        boolean cased = false;
        for (int at = 0; at < text.length(); at += Character.charCount(text.codePointAt(at))) {
            int codePoint = text.codePointAt(at);
            if (isCased(codePoint)) {
                cased = true;
                if (upper ? !Character.isUpperCase(codePoint) : !Character.isLowerCase(codePoint)) {
                    return false;
                }
            }
        }
        return cased;
    }
}
