package dev.penstock.prompt.template;

import java.util.List;

/**
 * Python's tuple; a list never equals one.
 *
 * @param names those of its elements, if it is a named one
 */
record Tuple(List<Object> elements, List<String> names) {
    Tuple(List<Object> elements) {
        this(elements, List.of());
    }

    static Tuple of(Object... elements) {
        return new Tuple(List.of(elements));
    }
}
