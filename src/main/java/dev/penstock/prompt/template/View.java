package dev.penstock.prompt.template;

import java.util.List;

/**
 * A dict's keys, values or items: iterable and with a length, but without indices.
 *
 * @param type Python's name of its type
 */
record View(String type, List<Object> elements) {}
