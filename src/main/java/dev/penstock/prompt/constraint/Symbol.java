package dev.penstock.prompt.constraint;

import java.util.List;

/** What rules of a grammar are made of. */
sealed interface Symbol {
    /** What a regular expression matches. */
    record Lex(Regex regex) implements Symbol {}

    /** What a rule derives. */
    record Ref(Rule rule) implements Symbol {}

    /** One of several sequences. */
    record Choice(List<List<Symbol>> options) implements Symbol {
        /** Copies the lists. */
        public Choice {
            options = options.stream().map(List::copyOf).toList();
        }
    }

    /** A sequence, at least {@code min} and at most {@code max} times; {@link Regex#UNBOUNDED} for no bound. */
    record Repeat(List<Symbol> items, int min, int max) implements Symbol {
        /** Copies the list. */
        public Repeat {
            items = List.copyOf(items);
        }
    }
}
