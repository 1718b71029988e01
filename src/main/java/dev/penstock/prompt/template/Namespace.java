package dev.penstock.prompt.template;

import java.util.HashMap;
import java.util.Map;

/** An object whose attributes a template may set from within loops. */
final class Namespace {
    private final Map<String, Object> attributes = new HashMap<>();

    Object get(String name) {
        Object value = attributes.get(name);
        return value != null ? value : Undefined.attribute(this, name);
    }

    void set(String name, Object value) {
        attributes.put(name, value);
    }
}
