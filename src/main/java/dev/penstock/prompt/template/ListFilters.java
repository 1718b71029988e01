package dev.penstock.prompt.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/** Jinja2's filters that go through the elements of a value. */
final class ListFilters {
    private final Interpreter interpreter;
    private final Budget budget;
    private final Filters filters;
    private final Tests tests;

    ListFilters(Interpreter interpreter, Filters filters, Tests tests) {
        this.interpreter = interpreter;
        this.budget = interpreter.budget();
        this.filters = filters;
        this.tests = tests;
    }

    Object apply(Object value, Args args) {
        return switch (args.function()) {
            // These look at the elements of a true value only: none has none.
            case "map", "select", "reject", "selectattr", "rejectattr" ->
                Values.isTrue(value) ? chosenOrMapped(value, args) : new OneShot(List.of());
            case "list" -> {
                args.expect(0);
                yield Values.list(value, budget);
            }
            case "first" -> {
                args.expect(0);
                Iterator<Object> elements = Values.iterator(value, budget);
                yield elements.hasNext()
                        ? elements.next()
                        : new Undefined("there is no first item, the sequence is empty");
            }
            case "last" -> {
                args.expect(0);
                List<Object> elements = reversible(value, "last");
                yield elements.isEmpty()
                        ? new Undefined("there is no last item, the sequence is empty")
                        : elements.getLast();
            }
            case "reverse" -> {
                args.expect(0);
                List<Object> elements = reversible(value, "reverse");
                Collections.reverse(elements);
                yield value instanceof String ? joined(elements, "") : new OneShot(elements);
            }
            case "join" -> {
                args.expect(0, "d", "attribute");
                UnaryOperator<Object> key = attribute(args.get(1, "attribute", None.NONE));
                List<Object> elements = Values.list(value, budget);
                elements.replaceAll(key);
                yield joined(elements, interpreter.repr().str(args.get(0, "d", "")));
            }
            case "sort" -> {
                args.expect(0, "reverse", "case_sensitive", "attribute");
                List<Object> elements = Values.list(value, budget);
                sort(
                        elements,
                        sortKey(args.get(2, "attribute", None.NONE)),
                        args.flag(1, "case_sensitive"),
                        args.flag(0, "reverse"));
                yield elements;
            }
            case "dictsort" -> dictsort(value, args.expect(0, "case_sensitive", "by", "reverse"));
            case "unique" -> unique(value, args.expect(0, "case_sensitive", "attribute"));
            case "min", "max" -> {
                args.expect(0, "case_sensitive", "attribute");
                List<Object> elements = Values.list(value, budget);
                UnaryOperator<Object> key = attribute(args.get(1, "attribute", None.NONE));
                boolean caseSensitive = args.flag(0, "case_sensitive");
                // The first of several equal ones, as Python has it.
                sort(elements, key, caseSensitive, args.function().equals("max"));
                yield elements.isEmpty()
                        ? new Undefined("there is no item, the sequence is empty")
                        : elements.getFirst();
            }
            case "sum" -> {
                args.expect(0, "attribute", "start");
                UnaryOperator<Object> key = attribute(args.get(0, "attribute", None.NONE));
                Object sum = args.get(1, "start", 0L);
                for (Object element : Values.list(value, budget)) {
                    sum = Arithmetic.binary(Expression.Operator.ADD, sum, key.apply(element), budget);
                }
                yield sum;
            }
            case "batch" -> batch(value, args.expect(1, "linecount", "fill_with"));
            case "slice" -> slice(value, args.expect(1, "slices", "fill_with"));
            case "groupby" -> groups(value, args.expect(1, "attribute", "default", "case_sensitive"));
            default -> throw new TemplateFault("there is no filter '" + Text.shorten(args.function()) + "'");
        };
    }

    private Object chosenOrMapped(Object value, Args args) {
        return switch (args.function()) {
            case "map" -> map(value, args);
            case "select", "reject" -> {
                boolean wanted = args.function().equals("select");
                Predicate<Object> test = test(args, 0);
                yield chosen(value, element -> test.test(element) == wanted);
            }
            default -> {
                if (args.positional().isEmpty()) {
                    throw new TemplateFault("the filter '" + args.function() + "' needs an attribute");
                }
                boolean wanted = args.function().equals("selectattr");
                UnaryOperator<Object> key = attribute(args.positional().getFirst());
                Predicate<Object> test = test(args, 1);
                yield chosen(value, element -> test.test(key.apply(element)) == wanted);
            }
        };
    }

    private List<Object> reversible(Object value, String filter) {
        if (value instanceof OneShot) {
            throw Filters.wrong(value, filter, "a list");
        }
        return Values.list(value, budget);
    }

    private String joined(List<Object> elements, String separator) {
        List<String> parts = new ArrayList<>(elements.size());
        long length = 0;
        for (Object element : elements) {
            String part = interpreter.repr().str(element);
            parts.add(part);
            length += part.length() + separator.length();
        }
        budget.text(length);
        return String.join(separator, parts);
    }

    private Object chosen(Object value, Predicate<Object> wanted) {
        List<Object> chosen = new ArrayList<>();
        for (Iterator<Object> elements = Values.iterator(value, budget); elements.hasNext(); ) {
            budget.step();
            Object element = elements.next();
            if (wanted.test(element)) {
                chosen.add(element);
            }
        }
        return new OneShot(chosen);
    }

    /** The test that an argument names, with the arguments behind it; truth where there is none. */
    private Predicate<Object> test(Args args, int index) {
        if (args.positional().size() <= index) {
            args.from(index, "bool").expect(0);
            return Values::isTrue;
        }
        Args forTest = args.from(index + 1, args.string(index, "test"));
        return element -> tests.test(element, forTest);
    }

    private Object map(Object value, Args args) {
        List<Object> elements = Values.list(value, budget);
        if (args.positional().isEmpty() && args.named().containsKey("attribute")) {
            args.expect(0, "", "attribute", "default");
            elements.replaceAll(attribute(args.required(1, "attribute"), args.get(2, "default", None.NONE)));
        } else {
            if (args.positional().isEmpty()) {
                throw new TemplateFault("the filter 'map' needs the name of a filter, or an attribute");
            }
            Args forFilter = args.from(1, args.string(0, "filter"));
            elements.replaceAll(e -> filters.apply(e, forFilter));
        }
        return new OneShot(elements);
    }

    /** Gets an attribute such as {@code function.name} or {@code 0.id}; what is none leaves the element as it is. */
    private UnaryOperator<Object> attribute(Object path) {
        return attribute(path, None.NONE);
    }

    private UnaryOperator<Object> attribute(Object path, Object defaultValue) {
        if (path == None.NONE) {
            return element -> element;
        }
        List<Object> steps = new ArrayList<>();
        if (path instanceof String names) {
            for (String name : names.split("\\.", -1)) {
                boolean index =
                        !name.isEmpty() && name.length() < 10 && name.chars().allMatch(c -> c >= '0' && c <= '9');
                steps.add(index ? (Object) Long.valueOf(name) : name);
            }
        } else {
            steps.add(path);
        }
        return element -> {
            Object value = element;
            for (Object step : steps) {
                budget.step();
                value = interpreter.evaluator().item(value, step);
                value = value instanceof Undefined && defaultValue != None.NONE ? defaultValue : value;
            }
            return value;
        };
    }

    /** What elements are sorted by: several attributes may stand with commas. */
    private UnaryOperator<Object> sortKey(Object attributes) {
        if (!(attributes instanceof String names)) {
            UnaryOperator<Object> key = attribute(attributes);
            return element -> List.of(key.apply(element));
        }
        List<UnaryOperator<Object>> keys = new ArrayList<>();
        for (String name : names.split(",", -1)) {
            keys.add(attribute(name));
        }
        return element -> {
            List<Object> values = new ArrayList<>();
            keys.forEach(key -> values.add(key.apply(element)));
            return values;
        };
    }

    private record Keyed(Object key, Object element) {}

    private void sort(List<Object> elements, UnaryOperator<Object> key, boolean caseSensitive, boolean reverse) {
        List<Keyed> keyed = new ArrayList<>();
        for (Object element : elements) {
            Object by = key.apply(element);
            keyed.add(new Keyed(caseSensitive ? by : lowered(by), element));
        }
        Comparator<Keyed> order = (a, b) -> Values.compare(a.key, b.key, "<", budget);
        keyed.sort(reverse ? order.reversed() : order);
        elements.clear();
        keyed.forEach(k -> elements.add(k.element));
    }

    private Object lowered(Object key) {
        if (key instanceof List<?> several) {
            List<Object> lowered = new ArrayList<>();
            several.forEach(each -> lowered.add(each instanceof String text ? lower(text) : each));
            return lowered;
        }
        return key instanceof String text ? lower(text) : key;
    }

    private String lower(String text) {
        budget.read(text);
        return Text.lower(text);
    }

    private Object dictsort(Object value, Args args) {
        if (!(value instanceof Map<?, ?> map)) {
            throw Filters.wrong(value, "dictsort", "a dict");
        }
        int by = switch (String.valueOf(args.get(1, "by", "key"))) {
            case "key" -> 0;
            case "value" -> 1;
            default -> throw new TemplateFault("dictsort: 'by' must be 'key' or 'value'");
        };
        budget.steps(map.size());
        List<Object> items = Methods.items(map);
        sort(items, e -> ((Tuple) e).elements().get(by), args.flag(0, "case_sensitive"), args.flag(2, "reverse"));
        return items;
    }

    private Object unique(Object value, Args args) {
        UnaryOperator<Object> key = attribute(args.get(1, "attribute", None.NONE));
        boolean caseSensitive = args.flag(0, "case_sensitive");
        List<Object> seen = new ArrayList<>();
        return chosen(value, element -> {
            Object by = key.apply(element);
            Object kept = Evaluator.hashable(caseSensitive ? by : lowered(by));
            for (Object other : seen) {
                if (Values.equal(other, kept, budget)) {
                    return false;
                }
            }
            return seen.add(kept);
        });
    }

    private Object batch(Object value, Args args) {
        long size = args.integer(0, "linecount", 1);
        if (size < 1) {
            throw new TemplateFault("batch: 'linecount' must be at least 1");
        }
        Object fill = args.get(1, "fill_with", None.NONE);
        List<Object> batches = new ArrayList<>();
        List<Object> batch = new ArrayList<>();
        for (Object element : Values.list(value, budget)) {
            if (batch.size() == size) {
                batches.add(batch);
                batch = new ArrayList<>();
            }
            batch.add(element);
        }
        if (!batch.isEmpty()) {
            while (fill != None.NONE && batch.size() < size) {
                budget.step();
                batch.add(fill);
            }
            batches.add(batch);
        }
        return new OneShot(batches);
    }

    /** As many lists as asked for, the first ones longer by one where it doesn't come out even. */
    private Object slice(Object value, Args args) {
        long count = args.integer(0, "slices", 1);
        if (count < 1) {
            throw new TemplateFault("slice: 'slices' must be at least 1");
        }
        Object fill = args.get(1, "fill_with", None.NONE);
        List<Object> elements = Values.list(value, budget);
        budget.steps(count);
        List<Object> slices = new ArrayList<>();
        int from = 0;
        for (long i = 0; i < count; i++) {
            boolean longer = i < elements.size() % count;
            int to = from + (int) (elements.size() / count) + (longer ? 1 : 0);
            List<Object> slice = new ArrayList<>(elements.subList(from, to));
            if (!longer && fill != None.NONE) {
                slice.add(fill);
            }
            slices.add(slice);
            from = to;
        }
        return new OneShot(slices);
    }

    /** Tuples of an attribute's value and the elements that have it, in the order of the values. */
    private Object groups(Object value, Args args) {
        UnaryOperator<Object> attribute = attribute(args.required(0, "attribute"), args.get(1, "default", None.NONE));
        boolean caseSensitive = args.flag(2, "case_sensitive");
        UnaryOperator<Object> key = caseSensitive ? attribute : e -> lowered(attribute.apply(e));
        List<Object> elements = Values.list(value, budget);
        sort(elements, key, true, false);
        List<Object> groups = new ArrayList<>();
        List<Object> group = new ArrayList<>();
        for (Object element : elements) {
            if (group.isEmpty() || !Values.equal(key.apply(group.getFirst()), key.apply(element), budget)) {
                group = new ArrayList<>();
                groups.add(new Tuple(List.of(attribute.apply(element), group), List.of("grouper", "list")));
            }
            group.add(element);
        }
        return groups;
    }
}
