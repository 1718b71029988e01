package dev.penstock.prompt.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The arguments that a function, filter or test is called with, after the value that it applies to.
 *
 * @param function its name, for messages
 */
record Args(String function, List<Object> positional, Map<String, Object> named) {
    static Args none(String function) {
        return new Args(function, List.of(), Map.of());
    }

    /**
     * Faults on what the function doesn't take.
     *
     * @param required how many of the parameters must be given
     */
    Args expect(int required, String... parameters) {
        if (positional.size() > parameters.length) {
            throw new TemplateFault(
                    function + " takes at most " + parameters.length + " arguments, got " + positional.size());
        }
        for (String name : named.keySet()) {
            int index = List.of(parameters).indexOf(name);
            if (index < 0) {
                throw new TemplateFault(function + " has no parameter '" + Text.shorten(name) + "'");
            }
            if (index < positional.size()) {
                throw new TemplateFault(function + " got two values for '" + name + "'");
            }
        }
        for (int i = positional.size(); i < required; i++) {
            if (!named.containsKey(parameters[i])) {
                throw new TemplateFault(function + " needs the argument '" + parameters[i] + "'");
            }
        }
        return this;
    }

    /** The same with escaped strings as plain ones. */
    Args plain() {
        if (named.isEmpty() && positional.stream().noneMatch(Markup.class::isInstance)) {
            return this;
        }
        List<Object> values = new ArrayList<>(positional);
        values.replaceAll(Markup::plain);
        Map<String, Object> others = new LinkedHashMap<>(named);
        others.replaceAll((name, value) -> Markup.plain(value));
        return new Args(function, values, others);
    }

    /** An argument by place or name, or null if it was not given. */
    @Nullable
    Object get(int index, String name) {
        return index < positional.size() ? positional.get(index) : named.get(name);
    }

    Object get(int index, String name, Object defaultValue) {
        Object value = get(index, name);
        return value != null ? value : defaultValue;
    }

    /** An argument that {@link #expect} has made sure of. */
    Object required(int index, String name) {
        Object value = get(index, name);
        if (value == null) {
            throw new TemplateFault(function + " needs the argument '" + name + "'");
        }
        return value;
    }

    String string(int index, String name) {
        Object value = Markup.plain(required(index, name));
        if (value instanceof String text) {
            return text;
        }
        throw new TemplateFault(function + ": '" + name + "' must be a string, not " + Values.typeName(value));
    }

    long integer(int index, String name, long defaultValue) {
        Object value = get(index, name);
        if (value == null) {
            return defaultValue;
        }
        if (value instanceof Long number) {
            return number;
        }
        if (value instanceof Boolean flag) {
            return flag ? 1 : 0;
        }
        throw new TemplateFault(function + ": '" + name + "' must be an integer, not " + Values.typeName(value));
    }

    boolean flag(int index, String name) {
        Object value = get(index, name);
        return value != null && Values.isTrue(value);
    }

    /** The arguments from {@code index} on, for a function that hands them to another. */
    Args from(int index, String name) {
        return new Args(name, positional.subList(Math.min(index, positional.size()), positional.size()), named);
    }
}
