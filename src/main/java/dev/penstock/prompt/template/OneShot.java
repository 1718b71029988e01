package dev.penstock.prompt.template;

import java.util.Iterator;
import java.util.List;

/** A Python generator, such as most filters return: true whatever it holds, without a length, and read only once. */
final class OneShot {
    private final Iterator<Object> rest;

    OneShot(List<Object> elements) {
        rest = elements.iterator();
    }

    Iterator<Object> rest() {
        return rest;
    }
}
