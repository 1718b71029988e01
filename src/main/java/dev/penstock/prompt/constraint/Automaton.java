package dev.penstock.prompt.constraint;

import dev.penstock.prompt.constraint.Config.Thread;
import dev.penstock.prompt.constraint.StackNode.Edge;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Reads texts of a grammar byte by byte: an automaton with a stack, made deterministic on the way. Stacks that are in the same place
 * for the same reason are merged as in generalised parsing (Scott and Johnstone, "GLL Parsing", 2010), so that an ambiguous grammar
 * costs polynomial time; and they are known by what they hold, not by where they came up, so that the same place of another text finds
 * the work done. Not safe for several threads.
 */
final class Automaton {
    /** Where the tables reach this many entries, of some hundred bytes, they are dropped: what is still needed is made again. */
    private static final int MAX_HELD = 30_000;

    /** Entries that a table of what follows a configuration counts for. */
    private static final int TABLE = 5;

    /** More ways to read one text at once come of grammars that explode. */
    private static final int MAX_THREADS = 5_000;

    /** Nothing can follow, and the text is not whole. */
    private final Config dead = new Config(List.of(), false);

    private final Grammar grammar;
    private final Effort effort = new Effort();
    private final StackNode root = StackNode.root();
    /** By what comes after it and the symbol's identity: symbols are deep, and stay the same objects. */
    private final Map<Item, Map<Symbol, Item>> items = new IdentityHashMap<>();

    /** What is left of repetitions, by what they repeat and how often. */
    private final Map<List<Symbol>, Map<Long, Symbol>> repeats = new IdentityHashMap<>();

    private final Map<List<Edge>, StackNode> nodes = new HashMap<>();
    private final Map<List<Object>, Config> configs = new HashMap<>();

    /** Those that have a table of what follows them, some from before the last drop among them. */
    private final List<Config> learned = new ArrayList<>();

    private final Map<Edge, Config> afters = new HashMap<>();
    private final Map<Rule, Item> bodies = new HashMap<>();
    private int itemIds = 1;
    private int nodeIds = 1;
    private long held;

    Automaton(Grammar grammar) {
        this.grammar = grammar;
    }

    /** Before the first byte. */
    Config start() {
        Closure closure = new Closure();
        closure.visit(sequence(grammar.start(), Item.NIL), root);
        return closure.config();
    }

    /** After a byte; {@link #isDead} if no text goes on so. */
    Config after(Config config, int b) {
        Config known = config.known(b);
        if (known != null) {
            return known;
        }
        dropIfLarge();
        Closure closure = new Closure();
        for (Thread thread : config.threads()) {
            effort.spend(thread.regex().cost(b));
            Regex rest = thread.regex().derivative(b);
            if (!rest.isEmpty()) {
                closure.read(rest, thread.after(), thread.node());
            }
        }
        Config after = closure.config();
        if (!config.hasLearned()) {
            learned.add(config);
            held += TABLE;
        }
        config.learn(b, after);
        return after;
    }

    /** What finding out may cost. */
    Effort effort() {
        return effort;
    }

    /** Entries of the tables. */
    long held() {
        return held;
    }

    private void dropIfLarge() {
        if (held >= MAX_HELD) {
            forget();
        }
    }

    /** Drops all that was found: configurations that are in use stay right, and find it again. */
    void forget() {
        learned.forEach(Config::forget);
        learned.clear();
        configs.clear();
        afters.clear();
        nodes.clear();
        items.clear();
        repeats.clear();
        bodies.clear();
        held = 0;
    }

    /** Whether no text goes on here, nor ends. */
    static boolean isDead(Config config) {
        return config.isEnd() && !config.accepts();
    }

    /** Where a thread is once its regular expression is at an end. */
    Config afterRegex(Thread thread) {
        Edge place = new Edge(thread.after(), thread.node());
        Config known = afters.get(place);
        if (known == null) {
            dropIfLarge();
            Closure closure = new Closure();
            closure.visit(thread.after(), thread.node());
            known = closure.config();
            afters.put(place, known);
            held++;
        }
        return known;
    }

    private Item sequence(List<Symbol> symbols, Item tail) {
        Item all = tail;
        for (int i = symbols.size() - 1; i >= 0; i--) {
            all = item(symbols.get(i), all);
        }
        return all;
    }

    private Item item(Symbol head, Item tail) {
        return items.computeIfAbsent(tail, t -> new IdentityHashMap<>()).computeIfAbsent(head, symbol -> {
            held++;
            int bytes = Math.min(Regex.INFINITE, grammar.minBytes(symbol) + tail.minBytes());
            return Item.of(symbol, tail, bytes, itemIds++);
        });
    }

    /** A repetition after one of its times. */
    private Symbol rest(List<Symbol> repeated, int min, int max) {
        int least = Math.max(0, min - 1);
        int most = max == Regex.UNBOUNDED ? max : max - 1;
        return repeats.computeIfAbsent(repeated, r -> new HashMap<>())
                .computeIfAbsent((long) least << 32 | most, k -> new Symbol.Repeat(repeated, least, most));
    }

    private StackNode node(Set<Edge> edges) {
        List<Edge> sorted = new ArrayList<>(edges);
        sorted.sort(Comparator.comparingInt((Edge e) -> e.item().id())
                .thenComparingInt(e -> e.node().id()));
        return nodes.computeIfAbsent(sorted, list -> {
            held += 1 + list.size();
            return StackNode.of(list, nodeIds++);
        });
    }

    private Config intern(Set<Thread> threads, boolean accepts) {
        if (threads.isEmpty() && !accepts) {
            return dead;
        }
        List<Thread> sorted = new ArrayList<>(threads);
        sorted.sort(Comparator.comparingLong((Thread t) -> t.regex().id())
                .thenComparingInt(t -> t.after().id())
                .thenComparingInt(t -> t.node().id()));
        List<Object> key = new ArrayList<>(sorted);
        key.add(accepts);
        return configs.computeIfAbsent(key, k -> {
            held += 1 + sorted.size();
            return new Config(sorted, accepts);
        });
    }

    /** What may be read next from some places, followed through all that takes no byte. */
    private final class Closure {
        private final Set<Edge> visited = new HashSet<>();
        private final Deque<Edge> work = new ArrayDeque<>();
        /** Rules that are called here, callers before the called, with the places that they return to. */
        private final TreeMap<Integer, Map<Rule, Set<Edge>>> calls = new TreeMap<>();

        private final Set<Thread> threads = new LinkedHashSet<>();
        private boolean accepts;

        /** From what is left of a rule. */
        void visit(Item item, StackNode node) {
            Edge place = new Edge(item, node);
            if (visited.add(place)) {
                work.add(place);
            }
        }

        /** From what is left of a regular expression. */
        void read(Regex regex, Item after, StackNode node) {
            if (regex != Regex.EPSILON) {
                threads.add(new Thread(regex, after, node));
                if (threads.size() > MAX_THREADS) {
                    throw new ConstraintException("the text can be read in more than " + MAX_THREADS
                            + " ways at once: the grammar is too ambiguous.");
                }
            }
            if (regex.isNullable()) {
                visit(after, node);
            }
        }

        Config config() {
            while (true) {
                while (!work.isEmpty()) {
                    effort.spend(1);
                    Edge place = work.remove();
                    Symbol head = place.item().head();
                    if (head == null) {
                        returns(place.node());
                    } else {
                        follow(head, place.item().tail(), place.node());
                    }
                }
                if (calls.isEmpty()) {
                    return intern(threads, accepts);
                }
                // All that call these have been seen, as none of them begins with a rule that comes before it.
                calls.pollFirstEntry().getValue().forEach((rule, edges) -> {
                    Item body = bodies.computeIfAbsent(rule, r -> sequence(r.body(), Item.NIL));
                    visit(body, node(edges));
                });
            }
        }

        private void returns(StackNode node) {
            if (node.isRoot()) {
                accepts = true;
            }
            for (Edge edge : node.edges()) {
                visit(edge.item(), edge.node());
            }
        }

        private void follow(Symbol head, Item tail, StackNode node) {
            switch (head) {
                case Symbol.Lex(Regex regex) -> {
                    if (!regex.isEmpty()) {
                        read(regex, tail, node);
                    }
                }
                case Symbol.Ref(Rule rule) -> call(rule, tail, node);
                case Symbol.Choice(List<List<Symbol>> options) -> {
                    for (List<Symbol> option : options) {
                        if (grammar.minBytes(option) < Regex.INFINITE) {
                            visit(sequence(option, tail), node);
                        }
                    }
                }
                case Symbol.Repeat(List<Symbol> items, int min, int max) -> {
                    if (min == 0) {
                        visit(tail, node);
                    }
                    if (max > 0 && grammar.minBytes(items) < Regex.INFINITE) {
                        Item rest = max == 1 ? tail : item(rest(items, min, max), tail);
                        visit(sequence(items, rest), node);
                    }
                }
            }
        }

        private void call(Rule rule, Item tail, StackNode node) {
            if (grammar.minBytes(rule) >= Regex.INFINITE) {
                return;
            }
            if (grammar.isNullable(rule)) {
                visit(tail, node);
            }
            Set<Edge> edges = calls.computeIfAbsent(grammar.order(rule), o -> new LinkedHashMap<>())
                    .computeIfAbsent(rule, r -> new LinkedHashSet<>());
            if (tail == Item.NIL && !node.isRoot()) {
                // The last call of a rule returns to where that one would: recursion at the end does not let the stack
                // grow.
                edges.addAll(node.edges());
            } else {
                edges.add(new Edge(tail, node));
            }
        }
    }
}
