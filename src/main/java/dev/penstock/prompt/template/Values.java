package dev.penstock.prompt.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Python's rules for values. A template's values are {@link None}, Boolean, Long, Double, BigInteger (only from outside),
 * String, {@link Markup}, List, {@link Tuple}, Map, {@link View}, {@link OneShot}, {@link Namespace}, {@link LoopState},
 * {@link Function} and {@link Undefined}.
 */
final class Values {
    private static final BigInteger MIN_LONG = BigInteger.valueOf(Long.MIN_VALUE);
    private static final BigInteger MAX_LONG = BigInteger.valueOf(Long.MAX_VALUE);

    private Values() {}

    /**
     * A value from outside as a template sees it; containers are copied.
     *
     * @throws TemplateFault it is nested too deeply, or of a type that templates don't know
     */
    static Object of(@Nullable Object value, int depth) {
        if (depth > Budget.MAX_DEPTH / 2) {
            throw new TemplateFault("a variable is nested more than " + Budget.MAX_DEPTH / 2 + " deep");
        }
        return switch (value) {
            case null -> None.NONE;
            case String text -> text;
            case Boolean flag -> flag;
            case Long number -> number;
            case Double number -> number;
            case Integer number -> number.longValue();
            case Short number -> number.longValue();
            case Byte number -> number.longValue();
            case Float number -> Double.valueOf(number.toString());
            case BigDecimal number -> number.doubleValue();
            case BigInteger number ->
                number.compareTo(MIN_LONG) >= 0 && number.compareTo(MAX_LONG) <= 0
                        ? (Object) number.longValueExact()
                        : number;
            case Map<?, ?> map -> {
                Map<Object, Object> copy = LinkedHashMap.newLinkedHashMap(map.size());
                map.forEach((k, v) -> copy.put(of(k, depth + 1), of(v, depth + 1)));
                yield copy;
            }
            case Iterable<?> elements -> {
                List<Object> copy = new ArrayList<>();
                elements.forEach(e -> copy.add(of(e, depth + 1)));
                yield copy;
            }
            default ->
                throw new TemplateFault(
                        "a variable is of type " + value.getClass().getName() + ", which templates don't know");
        };
    }

    static boolean isTrue(Object value) {
        return switch (value) {
            case None none -> false;
            case Undefined undefined -> false;
            case Boolean flag -> flag;
            case Long number -> number != 0;
            case Double number -> number != 0;
            case String text -> !text.isEmpty();
            case Markup markup -> !markup.text().isEmpty();
            case List<?> list -> !list.isEmpty();
            case Tuple tuple -> !tuple.elements().isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            case View view -> !view.elements().isEmpty();
            default -> true;
        };
    }

    /** Python's name of the type, for messages. */
    static String typeName(Object value) {
        return switch (value) {
            case None none -> "NoneType";
            case Undefined undefined -> "Undefined";
            case Boolean flag -> "bool";
            case Long number -> "int";
            case BigInteger number -> "int";
            case Double number -> "float";
            case String text -> "str";
            case Markup markup -> "str";
            case List<?> list -> "list";
            case Tuple tuple -> "tuple";
            case Map<?, ?> map -> "dict";
            case View view -> view.type();
            case OneShot generator -> "generator";
            case Namespace namespace -> "Namespace";
            case LoopState loop -> "LoopContext";
            default -> "function";
        };
    }

    /** The elements of a list, tuple or dict view, or null for anything else. */
    @SuppressWarnings("unchecked") // every list of a template is one of values
    static @Nullable List<Object> sequence(Object value) {
        return switch (value) {
            case List<?> list -> (List<Object>) list;
            case Tuple tuple -> tuple.elements();
            case View view -> view.elements();
            default -> null;
        };
    }

    @SuppressWarnings("unchecked") // every dict of a template is one of values
    static @Nullable Map<Object, Object> dict(Object value) {
        return value instanceof Map<?, ?> map ? (Map<Object, Object>) map : null;
    }

    /** What a {@code for} loop goes through. */
    static Iterator<Object> iterator(Object value, Budget budget) {
        List<Object> elements = sequence(value);
        if (elements != null) {
            return elements.iterator();
        }
        return switch (value) {
            case Map<?, ?> map -> List.<Object>copyOf(map.keySet()).iterator();
            case String text -> {
                budget.steps(text.length());
                yield Text.characters(text).iterator();
            }
            case Markup markup -> iterator(markup.text(), budget);
            case OneShot generator -> generator.rest();
            case Undefined undefined -> List.of().iterator();
            default -> throw new TemplateFault("'" + typeName(value) + "' object is not iterable");
        };
    }

    /** A new list of what iterating gives. */
    static List<Object> list(Object value, Budget budget) {
        List<Object> list = new ArrayList<>();
        for (Iterator<Object> elements = iterator(value, budget); elements.hasNext(); ) {
            budget.step();
            list.add(elements.next());
        }
        return list;
    }

    static long length(Object value, Budget budget) {
        List<Object> elements = sequence(value);
        if (elements != null) {
            return elements.size();
        }
        return switch (value) {
            case String text -> {
                budget.read(text);
                yield text.codePointCount(0, text.length());
            }
            case Markup markup -> length(markup.text(), budget);
            case Map<?, ?> map -> map.size();
            case Undefined undefined -> 0;
            case LoopState loop -> loop.length();
            default -> throw new TemplateFault("object of type '" + typeName(value) + "' has no length");
        };
    }

    /** Python's {@code ==}. */
    static boolean equal(Object first, Object second, Budget budget) {
        budget.step();
        Object a = Markup.plain(first);
        Object b = Markup.plain(second);
        if (a == b) {
            return !(a instanceof Double number && number.isNaN());
        }
        if (a instanceof String s && b instanceof String t) {
            if (s.length() == t.length()) {
                budget.read(s);
            }
            return s.equals(t);
        }
        if (Arithmetic.isNumber(a) && Arithmetic.isNumber(b)) {
            return Arithmetic.compare(a, b) == 0;
        }
        Map<Object, Object> left = dict(a);
        Map<Object, Object> right = dict(b);
        if (left != null && right != null) {
            if (left.size() != right.size()) {
                return false;
            }
            budget.enter();
            boolean equal = true;
            for (Map.Entry<Object, Object> entry : left.entrySet()) {
                Object other = right.get(entry.getKey());
                equal = equal && other != null && equal(entry.getValue(), other, budget);
            }
            budget.leave();
            return equal;
        }
        List<Object> these = sequence(a);
        List<Object> those = sequence(b);
        if (these != null && those != null) {
            if (!typeName(a).equals(typeName(b)) || these.size() != those.size()) {
                return false;
            }
            budget.enter();
            boolean equal = true;
            for (int i = 0; equal && i < these.size(); i++) {
                equal = equal(these.get(i), those.get(i), budget);
            }
            budget.leave();
            return equal;
        }
        return a instanceof Undefined && b instanceof Undefined || a.equals(b);
    }

    /** Python's order; faults on types that have none. */
    static int compare(Object first, Object second, String operator, Budget budget) {
        budget.step();
        Object a = Markup.plain(first);
        Object b = Markup.plain(second);
        if (a instanceof String s && b instanceof String t) {
            budget.read(s);
            return Text.compare(s, t);
        }
        if (Arithmetic.isNumber(a) && Arithmetic.isNumber(b)) {
            return Arithmetic.compare(a, b);
        }
        List<Object> these = sequence(a);
        List<Object> those = sequence(b);
        if (these != null && those != null && typeName(a).equals(typeName(b)) && !(a instanceof View)) {
            budget.enter();
            for (int i = 0; i < Math.min(these.size(), those.size()); i++) {
                if (!equal(these.get(i), those.get(i), budget)) {
                    int order = compare(these.get(i), those.get(i), operator, budget);
                    budget.leave();
                    return order;
                }
            }
            budget.leave();
            return Integer.compare(these.size(), those.size());
        }
        throw a instanceof Undefined undefined
                ? undefined.fault()
                : b instanceof Undefined undefined
                        ? undefined.fault()
                        : new TemplateFault("'" + operator + "' is not supported between '" + typeName(a) + "' and '"
                                + typeName(b) + "'");
    }

    /** Python's {@code element in container}. */
    static boolean contains(Object container, Object element, Budget budget) {
        if (Markup.plain(container) instanceof String text) {
            if (Markup.plain(element) instanceof String part) {
                budget.read(text);
                return text.contains(part);
            }
            throw new TemplateFault("'in <string>' requires a string on its left, not " + typeName(element));
        }
        Map<Object, Object> dict = dict(container);
        if (dict != null) {
            return dict.containsKey(Evaluator.hashable(element));
        }
        for (Iterator<Object> elements = iterator(container, budget); elements.hasNext(); ) {
            if (equal(elements.next(), element, budget)) {
                return true;
            }
        }
        return false;
    }
}
