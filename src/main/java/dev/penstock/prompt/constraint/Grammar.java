package dev.penstock.prompt.constraint;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A grammar that was checked: every rule and every alternative in it derives some string, and none begins with itself. It knows the
 * length of the shortest string of each rule, and an order in which rules that begin with others come before those.
 */
final class Grammar {
    /** More rules come of nothing that a person wrote. */
    private static final int MAX_RULES = 50_000;

    private final List<Symbol> start;
    private final Map<Rule, Integer> minBytes = new IdentityHashMap<>();
    private final Map<Rule, Boolean> nullable = new IdentityHashMap<>();
    private final Map<Rule, Integer> order = new IdentityHashMap<>();

    /**
     * Checks a grammar.
     *
     * @param start what a whole text is
     * @throws ConstraintException no text has this form, or a rule begins with itself
     */
    Grammar(List<Symbol> start) {
        Map<Rule, Boolean> found = new LinkedHashMap<>();
        collect(start, found);
        // Those that are found last are what the others are made of.
        List<Rule> rules = List.copyOf(found.keySet()).reversed();
        findMinBytes(rules);
        this.start = start;
        if (minBytes(start) >= Regex.INFINITE) {
            throw new ConstraintException("no text of a sensible length satisfies it.");
        }
        findNullable(rules);
        Map<Rule, Integer> marks = new IdentityHashMap<>();
        List<Rule> finished = new ArrayList<>();
        for (Rule rule : rules) {
            visit(rule, marks, finished);
        }
        for (int i = 0; i < finished.size(); i++) {
            // Whoever is finished last begins with none that is left.
            order.put(finished.get(i), finished.size() - i);
        }
    }

    private static void collect(List<Symbol> symbols, Map<Rule, Boolean> found) {
        List<List<Symbol>> work = new ArrayList<>();
        work.add(symbols);
        while (!work.isEmpty()) {
            for (Symbol symbol : work.removeLast()) {
                switch (symbol) {
                    case Symbol.Lex lex -> {}
                    case Symbol.Ref(Rule rule) -> {
                        if (found.putIfAbsent(rule, true) == null) {
                            work.add(rule.body());
                        }
                    }
                    case Symbol.Choice(List<List<Symbol>> options) -> work.addAll(options);
                    case Symbol.Repeat repeat -> work.add(repeat.items());
                }
            }
            if (found.size() > MAX_RULES) {
                throw new ConstraintException("it is too large: more than " + MAX_RULES + " rules.");
            }
        }
    }

    private void findMinBytes(List<Rule> rules) {
        boolean changed = true;
        while (changed) {
            changed = false;
            for (Rule rule : rules) {
                int bytes = minBytes(rule.body());
                if (bytes < minBytes(rule)) {
                    minBytes.put(rule, bytes);
                    changed = true;
                }
            }
        }
    }

    private void findNullable(List<Rule> rules) {
        boolean changed = true;
        while (changed) {
            changed = false;
            for (Rule rule : rules) {
                if (!isNullable(rule) && isNullable(rule.body())) {
                    nullable.put(rule, true);
                    changed = true;
                }
            }
        }
    }

    /** Depth first; a rule that is met while it is being visited begins with itself. */
    private void visit(Rule rule, Map<Rule, Integer> marks, List<Rule> finished) {
        if (marks.containsKey(rule)) {
            return;
        }
        List<Rule> path = new ArrayList<>(List.of(rule));
        Map<Rule, List<Rule>> rest = new HashMap<>();
        rest.put(rule, firsts(rule));
        marks.put(rule, 1);
        while (!path.isEmpty()) {
            Rule top = path.getLast();
            List<Rule> left = rest.getOrDefault(top, List.of());
            if (left.isEmpty()) {
                marks.put(top, 2);
                finished.add(top);
                path.removeLast();
                continue;
            }
            Rule next = left.removeLast();
            Integer mark = marks.get(next);
            if (mark == null) {
                marks.put(next, 1);
                rest.put(next, firsts(next));
                path.add(next);
            } else if (mark == 1) {
                throw new ConstraintException("the rule '" + next.name() + "' begins with itself.");
            }
        }
    }

    /** The rules that the body of a rule may begin with. */
    private List<Rule> firsts(Rule rule) {
        List<Rule> firsts = new ArrayList<>();
        addFirsts(rule.body(), firsts);
        return firsts;
    }

    private void addFirsts(List<Symbol> symbols, List<Rule> firsts) {
        for (Symbol symbol : symbols) {
            switch (symbol) {
                case Symbol.Lex lex -> {}
                case Symbol.Ref(Rule rule) -> firsts.add(rule);
                case Symbol.Choice(List<List<Symbol>> options) -> options.forEach(o -> addFirsts(o, firsts));
                case Symbol.Repeat repeat -> addFirsts(repeat.items(), firsts);
            }
            if (!isNullable(symbol)) {
                return;
            }
        }
    }

    /** What a whole text is. */
    List<Symbol> start() {
        return start;
    }

    /** Bytes of the shortest string of a rule; {@link Regex#INFINITE} if it has none. */
    int minBytes(Rule rule) {
        return minBytes.getOrDefault(rule, Regex.INFINITE);
    }

    /** The same of symbols in a row. */
    int minBytes(List<Symbol> symbols) {
        long sum = 0;
        for (Symbol symbol : symbols) {
            sum += minBytes(symbol);
        }
        return (int) Math.min(sum, Regex.INFINITE);
    }

    /** The same of a symbol. */
    int minBytes(Symbol symbol) {
        return switch (symbol) {
            case Symbol.Lex(Regex regex) -> regex.minBytes();
            case Symbol.Ref(Rule rule) -> minBytes(rule);
            case Symbol.Choice(List<List<Symbol>> options) ->
                options.stream().mapToInt(this::minBytes).min().orElse(Regex.INFINITE);
            case Symbol.Repeat(List<Symbol> items, int min, int max) ->
                min == 0 ? 0 : (int) Math.min((long) min * minBytes(items), Regex.INFINITE);
        };
    }

    /** Whether a rule derives the empty string. */
    boolean isNullable(Rule rule) {
        return nullable.getOrDefault(rule, false);
    }

    /** Whether a symbol does. */
    boolean isNullable(Symbol symbol) {
        return switch (symbol) {
            case Symbol.Lex(Regex regex) -> regex.isNullable();
            case Symbol.Ref(Rule rule) -> isNullable(rule);
            case Symbol.Choice(List<List<Symbol>> options) -> options.stream().anyMatch(this::isNullable);
            case Symbol.Repeat(List<Symbol> items, int min, int max) -> min == 0 || isNullable(items);
        };
    }

    private boolean isNullable(List<Symbol> symbols) {
        return symbols.stream().allMatch(this::isNullable);
    }

    /** Its place in an order in which a rule comes before those that it may begin with. */
    int order(Rule rule) {
        return order.getOrDefault(rule, 0);
    }
}
