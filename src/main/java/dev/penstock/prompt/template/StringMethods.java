package dev.penstock.prompt.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;

/** The methods of Python's str that templates may call. */
final class StringMethods {
    static final Set<String> NAMES = Set.of(
            "strip",
            "lstrip",
            "rstrip",
            "split",
            "rsplit",
            "splitlines",
            "partition",
            "rpartition",
            "startswith",
            "endswith",
            "removeprefix",
            "removesuffix",
            "replace",
            "upper",
            "lower",
            "title",
            "capitalize",
            "swapcase",
            "casefold",
            "join",
            "find",
            "rfind",
            "index",
            "rindex",
            "count",
            "isdigit",
            "isdecimal",
            "isnumeric",
            "isalpha",
            "isalnum",
            "isspace",
            "isupper",
            "islower",
            "zfill",
            "ljust",
            "rjust",
            "center",
            "format");

    private final Budget budget;

    StringMethods(Budget budget) {
        this.budget = budget;
    }

    Object call(String text, Args args) {
        budget.read(text);
        return switch (args.function()) {
            case "strip" -> stripped(text, args, true, true);
            case "lstrip" -> stripped(text, args, true, false);
            case "rstrip" -> stripped(text, args, false, true);
            case "split" -> split(text, args, true);
            case "rsplit" -> split(text, args, false);
            case "splitlines" -> {
                List<Object> lines = Text.lines(text, args.expect(0, "keepends").flag(0, "keepends"));
                budget.steps(lines.size());
                yield paid(lines, text);
            }
            case "partition" -> partition(text, args, true);
            case "rpartition" -> partition(text, args, false);
            case "startswith" -> affix(text, args, true);
            case "endswith" -> affix(text, args, false);
            case "removeprefix" -> {
                String prefix = args.expect(1, "prefix").string(0, "prefix");
                yield text.startsWith(prefix) ? made(text.substring(prefix.length())) : text;
            }
            case "removesuffix" -> {
                String suffix = args.expect(1, "suffix").string(0, "suffix");
                yield text.endsWith(suffix) ? made(text.substring(0, text.length() - suffix.length())) : text;
            }
            case "replace" -> {
                args.expect(2, "old", "new", "count");
                yield Text.replace(
                        text, args.string(0, "old"), args.string(1, "new"), args.integer(2, "count", -1), budget);
            }
            case "upper" -> made(Text.upper(plain(text, args)));
            case "lower" -> made(Text.lower(plain(text, args)));
            case "casefold" -> made(Text.lower(Text.upper(plain(text, args))));
            case "title" -> made(Text.title(plain(text, args)));
            case "capitalize" -> made(Text.capitalize(plain(text, args)));
            case "swapcase" -> {
                StringBuilder swapped = new StringBuilder();
                plain(text, args)
                        .codePoints()
                        .mapToObj(Character::toString)
                        .forEach(c -> swapped.append(
                                Character.isUpperCase(c.codePointAt(0)) ? Text.lower(c) : Text.upper(c)));
                yield made(swapped.toString());
            }
            case "join" -> join(text, args.expect(1, "iterable").required(0, "iterable"));
            case "find" -> find(text, args, true);
            case "rfind" -> find(text, args, false);
            case "index" -> found(find(text, args, true));
            case "rindex" -> found(find(text, args, false));
            case "count" -> count(text, args.expect(1, "sub").string(0, "sub"));
            case "isdigit", "isdecimal" -> Text.all(plain(text, args), Character::isDigit);
            case "isnumeric" -> Text.all(plain(text, args), StringMethods::isNumeric);
            case "isalpha" -> Text.all(plain(text, args), Character::isLetter);
            case "isalnum" -> Text.all(plain(text, args), c -> Character.isLetter(c) || isNumeric(c));
            case "isspace" -> Text.all(plain(text, args), Text::isSpace);
            case "isupper" -> Text.isCase(plain(text, args), true);
            case "islower" -> Text.isCase(plain(text, args), false);
            case "zfill" -> {
                boolean signed = text.startsWith("+") || text.startsWith("-");
                String digits = signed ? text.substring(1) : text;
                long width = args.expect(1, "width").integer(0, "width", 0) - (signed ? 1 : 0);
                yield (signed ? text.substring(0, 1) : "") + fill("0", width - Values.length(digits, budget)) + digits;
            }
            case "ljust" -> padded(text, args, 0, 1);
            case "rjust" -> padded(text, args, 1, 1);
            case "center" -> padded(text, args, 1, 2);
            case "format" -> Printf.braces(text, args, budget);
            default -> throw new TemplateFault("'str' has no method '" + args.function() + "'");
        };
    }

    private static String plain(String text, Args args) {
        args.expect(0);
        return text;
    }

    private String made(String text) {
        budget.text(text.length());
        return text;
    }

    private Object paid(List<Object> parts, String of) {
        budget.text(of.length());
        return parts;
    }

    private Object stripped(String text, Args args, boolean left, boolean right) {
        Object chars = args.expect(0, "chars").get(0, "chars", None.NONE);
        return made(strip(text, chars, left, right));
    }

    /** Takes the given characters, by default white space, off the ends. */
    static String strip(String text, Object chars, boolean left, boolean right) {
        IntPredicate unwanted;
        if (chars instanceof String set) {
            unwanted = c -> set.indexOf(c) >= 0;
        } else if (chars == None.NONE) {
            unwanted = Text::isSpace;
        } else {
            throw new TemplateFault("strip takes a string or none, not " + Values.typeName(chars));
        }
        return Text.strip(text, unwanted, left, right);
    }

    private Object split(String text, Args args, boolean fromLeft) {
        args.expect(0, "sep", "maxsplit");
        Object separator = args.get(0, "sep", None.NONE);
        long limit = args.integer(1, "maxsplit", -1);
        long most = limit < 0 ? Long.MAX_VALUE : limit;
        List<Object> parts = new ArrayList<>();
        if (separator == None.NONE) {
            splitAtSpace(text, most, fromLeft, parts);
        } else if (separator instanceof String between && !between.isEmpty()) {
            splitAt(text, between, most, fromLeft, parts);
        } else {
            throw new TemplateFault("a separator must be a string that is not empty, or none");
        }
        return paid(parts, text);
    }

    private void splitAt(String text, String separator, long most, boolean fromLeft, List<Object> parts) {
        String rest = text;
        int from = 0;
        if (fromLeft) {
            int at = text.indexOf(separator);
            while (at >= 0 && parts.size() < most) {
                budget.step();
                parts.add(text.substring(from, at));
                from = at + separator.length();
                at = text.indexOf(separator, from);
            }
            parts.add(text.substring(from));
            return;
        }
        int to = rest.length();
        int at = rest.lastIndexOf(separator);
        while (at >= 0 && parts.size() < most) {
            budget.step();
            parts.add(rest.substring(at + separator.length(), to));
            to = at;
            at = to < separator.length() ? -1 : rest.lastIndexOf(separator, to - separator.length());
        }
        parts.add(rest.substring(0, to));
        Collections.reverse(parts);
    }

    private void splitAtSpace(String text, long most, boolean fromLeft, List<Object> parts) {
        int from = 0;
        int to = text.length();
        while (true) {
            while (from < to && Text.isSpace(text.charAt(fromLeft ? from : to - 1))) {
                from += fromLeft ? 1 : 0;
                to -= fromLeft ? 0 : 1;
            }
            if (from == to) {
                break;
            }
            budget.step();
            if (parts.size() >= most) {
                parts.add(text.substring(from, to));
                break;
            }
            int cut = fromLeft ? from : to;
            while (fromLeft
                    ? cut < to && !Text.isSpace(text.charAt(cut))
                    : cut > from && !Text.isSpace(text.charAt(cut - 1))) {
                cut += fromLeft ? 1 : -1;
            }
            parts.add(fromLeft ? text.substring(from, cut) : text.substring(cut, to));
            from = fromLeft ? cut : from;
            to = fromLeft ? to : cut;
        }
        if (!fromLeft) {
            Collections.reverse(parts);
        }
    }

    private Object partition(String text, Args args, boolean first) {
        String separator = args.expect(1, "sep").string(0, "sep");
        if (separator.isEmpty()) {
            throw new TemplateFault("a separator must not be empty");
        }
        budget.text(text.length());
        int at = first ? text.indexOf(separator) : text.lastIndexOf(separator);
        if (at < 0) {
            return first ? Tuple.of(text, "", "") : Tuple.of("", "", text);
        }
        return Tuple.of(text.substring(0, at), separator, text.substring(at + separator.length()));
    }

    private Object affix(String text, Args args, boolean start) {
        args.expect(1, "affix", "start", "end");
        String part = args.get(1, "start") == null && args.get(2, "end") == null
                ? text
                : (String) Slices.slice(
                        text, args.integer(1, "start", 0), args.integer(2, "end", Integer.MAX_VALUE), null, budget);
        Object affix = args.required(0, "affix");
        List<Object> affixes = affix instanceof Tuple tuple ? tuple.elements() : List.of(affix);
        for (Object one : affixes) {
            budget.step();
            if (!(one instanceof String wanted)) {
                throw new TemplateFault(
                        args.function() + " takes a string or a tuple of strings, not " + Values.typeName(one));
            }
            if (start ? part.startsWith(wanted) : part.endsWith(wanted)) {
                return true;
            }
        }
        return false;
    }

    private Object join(String separator, Object iterable) {
        List<String> parts = new ArrayList<>();
        long length = 0;
        for (Iterator<Object> elements = Values.iterator(iterable, budget); elements.hasNext(); ) {
            budget.step();
            if (!(Markup.plain(elements.next()) instanceof String part)) {
                throw new TemplateFault("join takes strings only; the filter of that name takes others");
            }
            parts.add(part);
            length += part.length() + separator.length();
        }
        budget.text(length);
        return String.join(separator, parts);
    }

    private Object find(String text, Args args, boolean first) {
        args.expect(1, "sub", "start", "end");
        String wanted = args.string(0, "sub");
        long length = Values.length(text, budget);
        long start = args.integer(1, "start", 0);
        long from = Math.clamp(start < 0 ? start + length : start, 0, length);
        String part = (String) Slices.slice(text, from, args.integer(2, "end", length), null, budget);
        int at = first ? part.indexOf(wanted) : part.lastIndexOf(wanted);
        return at < 0 ? -1L : from + part.codePointCount(0, at);
    }

    private static Object found(Object place) {
        if (place.equals(-1L)) {
            throw new TemplateFault("substring not found");
        }
        return place;
    }

    private Object count(String text, String wanted) {
        if (wanted.isEmpty()) {
            return Values.length(text, budget) + 1;
        }
        long count = 0;
        for (int at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length())) {
            count++;
        }
        budget.steps(count);
        return count;
    }

    private Object padded(String text, Args args, int leftShare, int shares) {
        args.expect(1, "width", "fillchar");
        long missing = Math.max(0, args.integer(0, "width", 0) - Values.length(text, budget));
        String with = args.get(1, "fillchar") == null ? " " : args.string(1, "fillchar");
        if (with.codePointCount(0, with.length()) != 1) {
            throw new TemplateFault(args.function() + " fills with exactly one character");
        }
        // Python puts the odd one left when both numbers are odd.
        long left = shares == 1 ? leftShare * missing : missing / 2 + (missing & args.integer(0, "width", 0) & 1);
        budget.text(text.length());
        return fill(with, left) + text + fill(with, missing - left);
    }

    private String fill(String with, long count) {
        long times = Math.clamp(count, 0, Integer.MAX_VALUE);
        budget.text(with.length() * times);
        return with.repeat((int) times);
    }

    private static boolean isNumeric(int codePoint) {
        int type = Character.getType(codePoint);
        return type == Character.DECIMAL_DIGIT_NUMBER
                || type == Character.LETTER_NUMBER
                || type == Character.OTHER_NUMBER;
    }
}
