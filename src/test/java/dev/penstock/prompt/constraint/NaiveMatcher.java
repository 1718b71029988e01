package dev.penstock.prompt.constraint;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Reads a text of a grammar with all stacks written out in full: slow, and nothing is shared. For grammars without left recursion. */
final class NaiveMatcher {
    /** Ambiguous grammars have more stacks than can be written out. */
    private static final int MAX_STACKS = 1000;

    static final class TooAmbiguous extends Exception {
        private static final long serialVersionUID = 1L;
    }

    private final Set<Rule> productive = new HashSet<>();
    private final List<Symbol> start;

    NaiveMatcher(List<Symbol> start) {
        this.start = start;
        Set<Rule> rules = new LinkedHashSet<>();
        collect(start, rules);
        boolean changed = true;
        while (changed) {
            changed = false;
            for (Rule rule : rules) {
                if (isProductive(rule.body())) {
                    changed |= productive.add(rule);
                }
            }
        }
    }

    /** Whether it has any text. */
    boolean hasText() {
        return isProductive(start);
    }

    /** All stacks before the first byte. */
    Set<List<Symbol>> begin() throws TooAmbiguous {
        return expanded(List.of(start));
    }

    /** All stacks after a byte; none if no text goes on so. */
    Set<List<Symbol>> after(Set<List<Symbol>> stacks, int b) throws TooAmbiguous {
        List<List<Symbol>> next = new ArrayList<>();
        for (List<Symbol> stack : stacks) {
            if (!stack.isEmpty() && stack.getFirst() instanceof Symbol.Lex(Regex regex)) {
                Regex rest = regex.derivative(b);
                if (!rest.isEmpty()) {
                    next.add(joined(List.of(new Symbol.Lex(rest)), stack));
                }
            }
        }
        return expanded(next);
    }

    /** Whether a text may end here. */
    static boolean accepts(Set<List<Symbol>> stacks) {
        return stacks.contains(List.<Symbol>of());
    }

    /** Whether the bytes are a text. */
    boolean matches(byte[] bytes) throws TooAmbiguous {
        return accepts(after(begin(), bytes));
    }

    Set<List<Symbol>> after(Set<List<Symbol>> stacks, byte[] bytes) throws TooAmbiguous {
        Set<List<Symbol>> at = stacks;
        for (byte b : bytes) {
            at = after(at, b & 0xFF);
        }
        return at;
    }

    private Set<List<Symbol>> expanded(List<List<Symbol>> stacks) throws TooAmbiguous {
        Set<List<Symbol>> seen = new HashSet<>();
        Set<List<Symbol>> result = new HashSet<>();
        Deque<List<Symbol>> work = new ArrayDeque<>(stacks);
        while (!work.isEmpty()) {
            List<Symbol> stack = work.remove();
            if (!seen.add(stack) || !isProductive(stack)) {
                continue;
            }
            if (seen.size() > MAX_STACKS) {
                throw new TooAmbiguous();
            }
            if (stack.isEmpty()) {
                result.add(stack);
                continue;
            }
            switch (stack.getFirst()) {
                case Symbol.Lex(Regex regex) -> {
                    result.add(stack);
                    if (regex.isNullable()) {
                        work.add(joined(List.of(), stack));
                    }
                }
                case Symbol.Ref(Rule rule) -> work.add(joined(rule.body(), stack));
                case Symbol.Choice(List<List<Symbol>> options) -> options.forEach(o -> work.add(joined(o, stack)));
                case Symbol.Repeat(List<Symbol> items, int min, int max) -> {
                    if (min == 0) {
                        work.add(joined(List.of(), stack));
                    }
                    if (max > 0) {
                        List<Symbol> some = new ArrayList<>(items);
                        int most = max == Regex.UNBOUNDED ? max : max - 1;
                        some.add(new Symbol.Repeat(items, Math.max(0, min - 1), most));
                        work.add(joined(some, stack));
                    }
                }
            }
        }
        return result;
    }

    /** A stack with its top replaced. */
    private static List<Symbol> joined(List<Symbol> top, List<Symbol> stack) {
        List<Symbol> all = new ArrayList<>(top);
        all.addAll(stack.subList(1, stack.size()));
        return List.copyOf(all);
    }

    private boolean isProductive(List<Symbol> symbols) {
        return symbols.stream().allMatch(this::isProductive);
    }

    private boolean isProductive(Symbol symbol) {
        return switch (symbol) {
            case Symbol.Lex(Regex regex) -> !regex.isEmpty();
            case Symbol.Ref(Rule rule) -> productive.contains(rule);
            case Symbol.Choice(List<List<Symbol>> options) -> options.stream().anyMatch(this::isProductive);
            case Symbol.Repeat(List<Symbol> items, int min, int max) -> min == 0 || isProductive(items);
        };
    }

    private static void collect(List<Symbol> symbols, Set<Rule> rules) {
        for (Symbol symbol : symbols) {
            switch (symbol) {
                case Symbol.Lex lex -> {}
                case Symbol.Ref(Rule rule) -> {
                    if (rules.add(rule)) {
                        collect(rule.body(), rules);
                    }
                }
                case Symbol.Choice(List<List<Symbol>> options) -> options.forEach(o -> collect(o, rules));
                case Symbol.Repeat repeat -> collect(repeat.items(), rules);
            }
        }
    }
}
