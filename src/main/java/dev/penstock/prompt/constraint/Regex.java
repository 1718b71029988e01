package dev.penstock.prompt.constraint;

import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.WeakHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A regular expression over bytes, read by derivatives (Brzozowski, "Derivatives of Regular Expressions", 1964). Equal ones are one
 * object, so that the derivatives of an expression are the states of an automaton that is built as far as it is walked; counted
 * repetitions are states only where somebody gets to. Every expression but {@link #EMPTY} has at least one string: conjunctions and
 * complements are made into whole automata at once, from which dead states are cut ({@link ByteDfa}). Immutable.
 */
final class Regex {
    /** {@code max} of {@link #repeat} where there is no bound. */
    static final int UNBOUNDED = Integer.MAX_VALUE;

    /** More than this many alternatives at once come of expressions that explode. */
    private static final int MAX_ALTERNATIVES = 2000;

    /** {@link #minBytes()} of {@link #EMPTY}, and of strings too long to matter. */
    static final int INFINITE = Integer.MAX_VALUE / 4;

    /** Where this many have tables of their derivatives, a kilobyte each, all forget them. */
    private static final int MAX_TABLES = 60_000;

    /** Parts of an expression that are looked at in one step of {@link Effort}. */
    private static final int PARTS_PER_STEP = 8;

    /** Alternatives that take as much memory as a table. */
    private static final int WIDE = 256;

    // Both guarded by the list.
    private static final List<Regex> DERIVED = new ArrayList<>();
    private static long derivedSize;

    private static final WeakHashMap<Regex, WeakReference<Regex>> INTERNED = new WeakHashMap<>();
    private static final AtomicLong IDS = new AtomicLong();

    /** What it is made of. */
    private sealed interface Shape {
        record Nothing() implements Shape {}

        record Epsilon() implements Shape {}

        record Bytes(ByteSet set) implements Shape {}

        record Concat(Regex head, Regex tail) implements Shape {}

        record Union(List<Regex> options) implements Shape {}

        record Repeat(Regex item, int min, int max) implements Shape {}

        record Automaton(ByteDfa dfa, int state) implements Shape {}
    }

    /** No string. */
    static final Regex EMPTY = intern(new Shape.Nothing(), false, INFINITE);

    /** The empty string alone. */
    static final Regex EPSILON = intern(new Shape.Epsilon(), true, 0);

    /** Any byte. */
    static final Regex ANY_BYTE = bytes(ByteSet.ALL);

    /** Any string of bytes. */
    static final Regex ANYTHING = repeat(ANY_BYTE, 0, UNBOUNDED);

    private final Shape shape;
    private final int hash;
    private final boolean nullable;
    private final int minBytes;
    private final long id = IDS.getAndIncrement();
    private final int width;
    private volatile @Nullable Found found;

    /** What is known of it, and can be found again. */
    private static final class Found {
        private final @Nullable Regex[] next = new @Nullable Regex[256];
        private @Nullable Loop loop;
        private volatile boolean isLoopKnown;
    }

    private Regex(Shape shape, boolean nullable, int minBytes) {
        this.shape = shape;
        this.nullable = nullable;
        this.minBytes = Math.min(minBytes, INFINITE);
        hash = shape.hashCode();
        width = width(shape);
    }

    private static Regex intern(Shape shape, boolean nullable, int minBytes) {
        Regex made = new Regex(shape, nullable, minBytes);
        synchronized (INTERNED) {
            WeakReference<Regex> known = INTERNED.get(made);
            Regex old = known == null ? null : known.get();
            if (old != null) {
                return old;
            }
            INTERNED.put(made, new WeakReference<>(made));
            return made;
        }
    }

    /** One byte of these. */
    static Regex bytes(ByteSet set) {
        return set.isEmpty() ? EMPTY : intern(new Shape.Bytes(set), false, 1);
    }

    /** One byte from {@code lo} to {@code hi}. */
    static Regex range(int lo, int hi) {
        return bytes(ByteSet.range(lo, hi));
    }

    /** This text, in UTF-8. */
    static Regex literal(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        Regex all = EPSILON;
        for (int i = utf8.length - 1; i >= 0; i--) {
            all = concat(bytes(ByteSet.of(utf8[i] & 0xFF)), all);
        }
        return all;
    }

    /** One code point from {@code lo} to {@code hi}, surrogates left out, in UTF-8. */
    static Regex codePoints(int lo, int hi) {
        return Utf8.range(lo, hi);
    }

    /** One after the other. */
    static Regex concat(Regex... parts) {
        Regex all = EPSILON;
        for (int i = parts.length - 1; i >= 0; i--) {
            all = concat(parts[i], all);
        }
        return all;
    }

    private static Regex concat(Regex head, Regex tail) {
        if (head == EMPTY || tail == EMPTY) {
            return EMPTY;
        }
        if (head == EPSILON) {
            return tail;
        }
        if (tail == EPSILON) {
            return head;
        }
        if (head.shape instanceof Shape.Concat(Regex first, Regex rest)) {
            return concat(first, concat(rest, tail));
        }
        return intern(new Shape.Concat(head, tail), head.nullable && tail.nullable, add(head.minBytes, tail.minBytes));
    }

    /** One of these. */
    static Regex union(Regex... options) {
        return union(Arrays.asList(options));
    }

    /** One of these. */
    static Regex union(Collection<Regex> options) {
        TreeSet<Regex> flat = new TreeSet<>(Comparator.comparingLong(r -> r.id));
        ByteSet single = ByteSet.NONE;
        for (Regex option : options) {
            List<Regex> each = option.shape instanceof Shape.Union(List<Regex> nested) ? nested : List.of(option);
            for (Regex one : each) {
                if (one.shape instanceof Shape.Bytes(ByteSet set)) {
                    single = single.or(set);
                } else if (one != EMPTY) {
                    flat.add(one);
                }
            }
        }
        if (!single.isEmpty()) {
            flat.add(bytes(single));
        }
        factor(flat);
        if (flat.size() > MAX_ALTERNATIVES) {
            throw new ConstraintException(
                    "an expression is too complex: more than " + MAX_ALTERNATIVES + " alternatives are open at once.");
        }
        if (flat.size() <= 1) {
            return flat.isEmpty() ? EMPTY : flat.first();
        }
        boolean nullable = false;
        int least = INFINITE;
        for (Regex one : flat) {
            nullable |= one.nullable;
            least = Math.min(least, one.minBytes);
        }
        return intern(new Shape.Union(List.copyOf(flat)), nullable, least);
    }

    /** Makes one of those that begin with the same bytes, so that a list of words is read as a trie. */
    private static void factor(Set<Regex> options) {
        Map<Regex, List<Regex>> tails = new HashMap<>();
        for (Regex option : options) {
            if (option.shape instanceof Shape.Concat(Regex head, Regex tail) && head.shape instanceof Shape.Bytes) {
                tails.computeIfAbsent(head, h -> new ArrayList<>()).add(tail);
            }
        }
        tails.forEach((head, rests) -> {
            if (rests.size() > 1) {
                rests.forEach(rest -> options.remove(concat(head, rest)));
                options.add(concat(head, union(rests)));
            }
        });
    }

    /** At least {@code min} and at most {@code max} times. */
    static Regex repeat(Regex item, int min, int max) {
        int least = item.nullable ? 0 : min;
        if (max == 0 || item == EPSILON) {
            return EPSILON;
        }
        if (item == EMPTY) {
            return least == 0 ? EPSILON : EMPTY;
        }
        if (least == 1 && max == 1) {
            return item;
        }
        if (item.shape instanceof Shape.Repeat(Regex inner, int m, int n) && m == 0 && n == UNBOUNDED) {
            return item;
        }
        long bytes = (long) least * item.minBytes;
        return intern(new Shape.Repeat(item, least, max), least == 0, (int) Math.min(bytes, INFINITE));
    }

    /** What both match. */
    static Regex and(Regex a, Regex b) {
        if (a == b || b == ANYTHING) {
            return a;
        }
        return a == ANYTHING ? b : ByteDfa.and(a, b);
    }

    /** What this does not match, of all strings of bytes. */
    static Regex not(Regex regex) {
        return regex == EMPTY ? ANYTHING : ByteDfa.not(regex);
    }

    /** The strings that lead from this state of an automaton to an accepting one. */
    static Regex automaton(ByteDfa dfa, int state) {
        if (dfa.isDead(state)) {
            return EMPTY;
        }
        // What nothing can follow must be known as such: a text that ends with it has to end there.
        return dfa.isEnd(state)
                ? EPSILON
                : intern(new Shape.Automaton(dfa, state), dfa.accepts(state), dfa.minBytes(state));
    }

    /** Whether no string matches. */
    boolean isEmpty() {
        return this == EMPTY;
    }

    /** Whether the empty string matches. */
    boolean isNullable() {
        return nullable;
    }

    /** Length of the shortest string that matches; {@link #INFINITE} for none, or one too long to count. */
    int minBytes() {
        return minBytes;
    }

    /** A number of its own, by which states are kept in order. */
    long id() {
        return id;
    }

    /** What may follow this byte: the matching strings that begin with it, without it. */
    Regex derivative(int b) {
        Found known = found();
        Regex after = known.next[b];
        if (after == null) {
            after = derive(b);
            known.next[b] = after;
        }
        return after;
    }

    /** The loop that it stands in; null if it stands in none. */
    @Nullable
    Loop loop() {
        Found known = found();
        if (!known.isLoopKnown) {
            known.loop = Loop.of(this);
            known.isLoopKnown = true;
        }
        return known.loop;
    }

    /** Steps of {@link Effort} that it takes to find what follows a byte; none where that is known. */
    int cost(int b) {
        Found known = found;
        return known == null || known.next[b] == null ? 1 + width / PARTS_PER_STEP : 0;
    }

    private static int width(Shape shape) {
        long parts = switch (shape) {
            case Shape.Concat(Regex head, Regex tail) -> (long) head.width + (head.nullable ? tail.width : 0);
            case Shape.Union(List<Regex> options) ->
                options.stream().mapToLong(option -> option.width).sum();
            case Shape.Repeat(Regex item, int min, int max) -> item.width;
            default -> 1;
        };
        return (int) Math.min(parts, INFINITE);
    }

    private Found found() {
        Found known = found;
        if (known != null) {
            return known;
        }
        synchronized (DERIVED) {
            if (derivedSize >= MAX_TABLES) {
                DERIVED.forEach(regex -> regex.found = null);
                DERIVED.clear();
                derivedSize = 0;
            }
            DERIVED.add(this);
            derivedSize += 1 + width / WIDE;
            Found made = new Found();
            found = made;
            return made;
        }
    }

    private Regex derive(int b) {
        return switch (shape) {
            case Shape.Nothing nothing -> EMPTY;
            case Shape.Epsilon epsilon -> EMPTY;
            case Shape.Bytes(ByteSet set) -> set.contains(b) ? EPSILON : EMPTY;
            case Shape.Concat(Regex head, Regex tail) -> {
                Regex first = concat(head.derivative(b), tail);
                yield head.nullable ? union(first, tail.derivative(b)) : first;
            }
            case Shape.Union(List<Regex> options) -> {
                List<Regex> all = new ArrayList<>(options.size());
                for (Regex option : options) {
                    Regex one = option.derivative(b);
                    if (one != EMPTY) {
                        all.add(one);
                    }
                }
                yield union(all);
            }
            case Shape.Repeat(Regex item, int min, int max) -> {
                Regex one = item.derivative(b);
                yield one == EMPTY
                        ? EMPTY
                        : concat(one, repeat(item, Math.max(0, min - 1), max == UNBOUNDED ? max : max - 1));
            }
            case Shape.Automaton(ByteDfa dfa, int state) -> {
                int target = dfa.next(state, b);
                yield target < 0 ? EMPTY : automaton(dfa, target);
            }
        };
    }

    /** What it repeats at its beginning; null if it does not begin with a repetition. */
    @Nullable
    Regex repeated() {
        return switch (shape) {
            case Shape.Repeat(Regex item, int min, int max) -> item;
            case Shape.Concat(Regex head, Regex tail)
            when head.shape instanceof Shape.Repeat(Regex item, int min, int max) -> item;
            default -> null;
        };
    }

    /** How often that may be read at most. */
    int repetitions() {
        return switch (shape) {
            case Shape.Repeat(Regex item, int min, int max) -> max;
            case Shape.Concat(Regex head, Regex tail)
            when head.shape instanceof Shape.Repeat(Regex item, int min, int max) -> max;
            default -> 0;
        };
    }

    /** What comes after its first part. */
    Regex afterFirst() {
        return shape instanceof Shape.Concat(Regex head, Regex tail) ? tail : EPSILON;
    }

    /** Divides classes as far as it tells bytes apart. */
    void refine(ByteClasses classes) {
        Set<ByteSet> sets = new HashSet<>();
        collect(sets, Collections.newSetFromMap(new IdentityHashMap<>()));
        sets.forEach(classes::split);
    }

    /** Parts are shared: each is looked at once. */
    private void collect(Set<ByteSet> sets, Set<Regex> seen) {
        if (!seen.add(this)) {
            return;
        }
        switch (shape) {
            case Shape.Nothing nothing -> {}
            case Shape.Epsilon epsilon -> {}
            case Shape.Bytes(ByteSet set) -> sets.add(set);
            case Shape.Concat(Regex head, Regex tail) -> {
                head.collect(sets, seen);
                tail.collect(sets, seen);
            }
            case Shape.Union(List<Regex> options) -> options.forEach(option -> option.collect(sets, seen));
            case Shape.Repeat(Regex item, int min, int max) -> item.collect(sets, seen);
            case Shape.Automaton(ByteDfa dfa, int state) ->
                sets.addAll(dfa.classes().sets());
        }
    }

    /**
     * The same for strings of at most {@code bytes} bytes: counters above that are cut, so that states that no token can tell apart
     * are one.
     */
    Regex within(int bytes) {
        return switch (shape) {
            case Shape.Concat(Regex head, Regex tail) -> concat(head.within(bytes), tail);
            case Shape.Repeat(Regex item, int min, int max) ->
                item.nullable ? this : repeat(item, Math.min(min, bytes), max > bytes ? UNBOUNDED : max);
            case Shape.Union(List<Regex> options) ->
                union(options.stream().map(o -> o.within(bytes)).toList());
            default -> this;
        };
    }

    private static int add(int a, int b) {
        return Math.min(INFINITE, a + b);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other || (other instanceof Regex that && hash == that.hash && shape.equals(that.shape));
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
