package dev.penstock.prompt.constraint;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A named rule of a grammar; its body is set once, later than it is named, since rules may refer to themselves. */
final class Rule {
    private final String name;
    private @Nullable List<Symbol> body;

    Rule(String name) {
        this.name = name;
    }

    String name() {
        return name;
    }

    /** What it derives, one after the other. */
    List<Symbol> body() {
        if (body == null) {
            throw new IllegalStateException("the rule " + name + " has no body");
        }
        return body;
    }

    /** Sets what it derives. */
    void define(List<Symbol> symbols) {
        if (body != null) {
            throw new IllegalStateException("the rule " + name + " has a body already");
        }
        body = List.copyOf(symbols);
    }
}
