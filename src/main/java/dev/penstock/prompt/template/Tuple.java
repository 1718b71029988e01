package dev.penstock.prompt.template;

import java.util.List;

/** Python's tuple; a list never equals one. */
record Tuple(List<Object> elements) {
    static Tuple of(Object... elements) {
        return new Tuple(List.of(elements));
    }
}
