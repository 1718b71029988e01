package dev.penstock.prompt.template;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that every template has: those of Hugging Face's chat templates, and of Jinja2's the harmless ones. */
final class Globals {
    /** Longest range, as in Jinja2's sandbox. */
    private static final long MAX_RANGE = 100_000;

    private record Named(String name, Body body) implements Function {
        interface Body {
            Object call(Args args, Interpreter interpreter);
        }

        @Override
        public Object call(Args args, Interpreter interpreter) {
            return body.call(args, interpreter);
        }
    }

    private final Clock clock;
    private final Map<String, Function> functions = new LinkedHashMap<>();

    /** The clock tells what {@code strftime_now} shows. */
    Globals(Clock clock) {
        this.clock = clock;
        add("raise_exception", (args, interpreter) -> {
            Object message = args.expect(1, "message").required(0, "message");
            throw TemplateFault.raised(interpreter.repr().str(message));
        });
        add("strftime_now", (args, interpreter) -> {
            String format = args.expect(1, "format").string(0, "format");
            interpreter.budget().text(format.length() * 16L);
            return strftime(format);
        });
        add("namespace", (args, interpreter) -> {
            Namespace namespace = new Namespace();
            dict(args, interpreter.budget())
                    .forEach((key, value) -> namespace.set(interpreter.repr().str(key), value));
            return namespace;
        });
        add("dict", (args, interpreter) -> dict(args, interpreter.budget()));
        add("range", (args, interpreter) -> range(args, interpreter.budget()));
    }

    private void add(String name, Named.Body body) {
        functions.put(name, new Named(name, body));
    }

    @Nullable
    Function get(String name) {
        return functions.get(name);
    }

    private static Map<Object, Object> dict(Args args, Budget budget) {
        Map<Object, Object> dict = new LinkedHashMap<>();
        if (args.positional().size() > 1) {
            throw new TemplateFault(args.function() + " takes at most one value besides named ones");
        }
        for (Object from : args.positional()) {
            Map<Object, Object> map = Values.dict(from);
            if (map != null) {
                budget.steps(map.size());
                dict.putAll(map);
                continue;
            }
            for (Object pair : Values.list(from, budget)) {
                List<Object> entry = Values.list(pair, budget);
                if (entry.size() != 2) {
                    throw new TemplateFault(args.function() + " takes pairs of key and value");
                }
                dict.put(Evaluator.hashable(entry.get(0)), entry.get(1));
            }
        }
        dict.putAll(args.named());
        return dict;
    }

    private static Object range(Args args, Budget budget) {
        int given = args.positional().size();
        if (given < 1 || given > 3 || !args.named().isEmpty()) {
            throw new TemplateFault("range takes one to three integers");
        }
        long start = given == 1 ? 0 : args.integer(0, "start", 0);
        long stop = args.integer(given == 1 ? 0 : 1, "stop", 0);
        long step = args.integer(2, "step", 1);
        if (step == 0) {
            throw new TemplateFault("the step of a range can't be 0");
        }
        List<Object> range = new ArrayList<>();
        for (long i = start; step > 0 ? i < stop : i > stop; ) {
            if (range.size() >= MAX_RANGE) {
                throw new TemplateFault("a range has at most " + MAX_RANGE + " numbers");
            }
            budget.step();
            range.add(i);
            long next = i + step;
            if (step > 0 ? next < i : next > i) {
                break;
            }
            i = next;
        }
        return range;
    }

    private String strftime(String format) {
        ZonedDateTime now = ZonedDateTime.now(clock);
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 >= format.length()) {
                out.append(c);
                continue;
            }
            char directive = format.charAt(++i);
            boolean unpadded = directive == '-' && i + 1 < format.length();
            if (unpadded) {
                directive = format.charAt(++i);
            }
            String value = directive(directive, now);
            out.append(unpadded ? value.replaceFirst("^0+(?=.)", "") : value);
        }
        return out.toString();
    }

    private static String directive(char directive, ZonedDateTime now) {
        String pattern = switch (directive) {
            case 'Y' -> "yyyy";
            case 'y' -> "yy";
            case 'm' -> "MM";
            case 'd' -> "dd";
            case 'B' -> "MMMM";
            case 'b', 'h' -> "MMM";
            case 'A' -> "EEEE";
            case 'a' -> "EEE";
            case 'H' -> "HH";
            case 'I' -> "hh";
            case 'M' -> "mm";
            case 'S' -> "ss";
            case 'f' -> "SSSSSS";
            case 'p' -> "a";
            case 'j' -> "DDD";
            case 'F' -> "yyyy-MM-dd";
            case 'T' -> "HH:mm:ss";
            case 'R' -> "HH:mm";
            case 'D' -> "MM/dd/yy";
            case 'Z', 'z' -> "";
            default -> null;
        };
        if (pattern == null) {
            return switch (directive) {
                case 'e' -> "%2d".formatted(now.getDayOfMonth());
                case 'u' -> Integer.toString(now.getDayOfWeek().getValue());
                case 'w' -> Integer.toString(now.getDayOfWeek().getValue() % 7);
                case 'n' -> "\n";
                case 't' -> "\t";
                case '%' -> "%";
                default -> throw new TemplateFault("strftime_now has no %" + directive);
            };
        }
        // Like Python's naive datetime.now(), the time carries no zone.
        return pattern.isEmpty() ? "" : now.format(DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH));
    }
}
