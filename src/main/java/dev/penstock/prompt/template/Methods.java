package dev.penstock.prompt.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The methods that values have. Those that would change a value are known, and refused. */
final class Methods {
    private static final Set<String> DICT =
            Set.of("get", "keys", "values", "items", "copy", "clear", "pop", "popitem", "setdefault", "update");
    private static final Set<String> LIST =
            Set.of("index", "count", "copy", "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");
    private static final Set<String> TUPLE = Set.of("index", "count");
    private static final Set<String> CHANGING = Set.of(
            "append",
            "clear",
            "pop",
            "reverse",
            "insert",
            "sort",
            "extend",
            "remove",
            "popitem",
            "setdefault",
            "update");

    private Methods() {}

    /** A method together with the value that it was taken from. */
    record Bound(Object target, String name) implements Function {
        @Override
        public Object call(Args args, Interpreter interpreter) {
            Budget budget = interpreter.budget();
            return switch (target) {
                case String text -> new StringMethods(budget).call(text, args.plain());
                case Markup markup -> markup.call(args, interpreter);
                case LoopState loop -> loop.callMethod(args, budget);
                case Map<?, ?> map -> callDict(map, args, budget);
                default -> callList(target, args, budget);
            };
        }
    }

    /** The method of that name, or null if such a value has none. */
    static @Nullable Object of(Object target, String name) {
        Set<String> names = switch (target) {
            case String text -> StringMethods.NAMES;
            case Markup markup -> StringMethods.NAMES;
            case Map<?, ?> map -> DICT;
            case List<?> list -> LIST;
            case Tuple tuple -> TUPLE;
            default -> Set.of();
        };
        return names.contains(name) ? new Bound(target, name) : null;
    }

    private static Object callDict(Map<?, ?> map, Args args, Budget budget) {
        refuseChange(map, args);
        budget.step();
        if (args.function().equals("get")) {
            args.expect(1, "key", "default");
            Object value = map.get(Evaluator.hashable(args.required(0, "key")));
            return value != null ? value : args.get(1, "default", None.NONE);
        }
        args.expect(0);
        budget.steps(map.size());
        return switch (args.function()) {
            case "keys" -> new View("dict_keys", new ArrayList<>(map.keySet()));
            case "values" -> new View("dict_values", new ArrayList<>(map.values()));
            case "items" -> new View("dict_items", items(map));
            default -> new LinkedHashMap<Object, Object>(map);
        };
    }

    /** A dict's entries as tuples. */
    static List<Object> items(Map<?, ?> map) {
        List<Object> items = new ArrayList<>(map.size());
        map.forEach((key, value) -> items.add(Tuple.of(key, value)));
        return items;
    }

    private static Object callList(Object target, Args args, Budget budget) {
        refuseChange(target, args);
        List<Object> elements = Values.list(target, budget);
        if (args.function().equals("copy")) {
            args.expect(0);
            return elements;
        }
        Object wanted = args.expect(1, "value").required(0, "value");
        long count = 0;
        for (int i = 0; i < elements.size(); i++) {
            if (Values.equal(elements.get(i), wanted, budget)) {
                if (args.function().equals("index")) {
                    return (long) i;
                }
                count++;
            }
        }
        if (args.function().equals("index")) {
            throw new TemplateFault("the value is not in the list");
        }
        return count;
    }

    private static void refuseChange(Object target, Args args) {
        if (CHANGING.contains(args.function())) {
            throw new TemplateFault("'" + args.function() + "' would change a " + Values.typeName(target)
                    + ", which templates may not; use + or a namespace");
        }
    }
}
