package dev.penstock.prompt.constraint;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes regular expressions of the parts of a grammar that need no stack: masks of those are found by derivatives alone. Large parts
 * are left as they are, so that what they share is shared.
 */
final class RegularParts {
    /** Larger expressions are divided. */
    private static final int MAX_SIZE = 100;

    private final Map<Rule, List<Symbol>> bodies;
    private final Map<Rule, Optional<Part>> known = new IdentityHashMap<>();

    /** An expression, and how many simple ones it was made of. */
    private record Part(Regex regex, int size) {}

    /** Of rules that have no bodies yet. */
    RegularParts(Map<Rule, List<Symbol>> bodies) {
        this.bodies = bodies;
    }

    /** Gives the rules their bodies. */
    void define() {
        bodies.forEach((rule, body) -> rule.define(rewritten(body)));
    }

    private List<Symbol> rewritten(List<Symbol> symbols) {
        Optional<Part> whole = part(symbols);
        if (whole.isPresent()) {
            return List.of(new Symbol.Lex(whole.get().regex()));
        }
        return symbols.stream().map(this::rewritten).toList();
    }

    private Symbol rewritten(Symbol symbol) {
        Optional<Part> whole = part(symbol);
        if (whole.isPresent()) {
            return new Symbol.Lex(whole.get().regex());
        }
        return switch (symbol) {
            case Symbol.Lex lex -> lex;
            case Symbol.Ref ref -> ref;
            case Symbol.Choice(List<List<Symbol>> options) ->
                new Symbol.Choice(options.stream().map(this::rewritten).toList());
            case Symbol.Repeat(List<Symbol> items, int min, int max) -> new Symbol.Repeat(rewritten(items), min, max);
        };
    }

    private Optional<Part> part(Symbol symbol) {
        return switch (symbol) {
            case Symbol.Lex(Regex regex) -> Optional.of(new Part(regex, 1));
            case Symbol.Ref(Rule rule) -> part(rule);
            case Symbol.Choice(List<List<Symbol>> options) -> {
                List<Regex> regexes = new ArrayList<>();
                int size = 0;
                for (List<Symbol> option : options) {
                    Optional<Part> part = part(option);
                    if (part.isEmpty() || (size += part.get().size()) > MAX_SIZE) {
                        yield Optional.empty();
                    }
                    regexes.add(part.get().regex());
                }
                yield Optional.of(new Part(Regex.union(regexes), size));
            }
            case Symbol.Repeat(List<Symbol> items, int min, int max) ->
                part(items).map(item -> new Part(Regex.repeat(item.regex(), min, max), item.size() + 1));
        };
    }

    private Optional<Part> part(List<Symbol> symbols) {
        Regex[] regexes = new Regex[symbols.size()];
        int size = 0;
        for (int i = 0; i < regexes.length; i++) {
            Optional<Part> part = part(symbols.get(i));
            if (part.isEmpty() || (size += part.get().size()) > MAX_SIZE) {
                return Optional.empty();
            }
            regexes[i] = part.get().regex();
        }
        return Optional.of(new Part(Regex.concat(regexes), size));
    }

    private Optional<Part> part(Rule rule) {
        Optional<Part> done = known.get(rule);
        if (done != null) {
            return done;
        }
        // A rule that is met within itself is not regular, nor are those between.
        known.put(rule, Optional.empty());
        Optional<Part> part = part(bodies.getOrDefault(rule, List.of()));
        known.put(rule, part);
        return part;
    }
}
