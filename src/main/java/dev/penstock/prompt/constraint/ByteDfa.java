package dev.penstock.prompt.constraint;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * A whole deterministic automaton over bytes. Made where derivatives alone would not tell whether anything can follow: of
 * conjunctions and complements. States from which nothing is accepted are dead, and no transition leads to them.
 */
final class ByteDfa {
    /** Larger automata are refused. */
    private static final int MAX_STATES = 20_000;

    private static final int NONE = -1;

    private final ByteClasses classes;
    /** [states, classes] the next state, or {@link #NONE}. */
    private final int[] next;

    private final boolean[] accepting;
    /** Bytes to the nearest accepting state; {@link Regex#INFINITE} for dead states. */
    private final int[] minBytes;

    private ByteDfa(ByteClasses classes, int[] next, boolean[] accepting) {
        this.classes = classes;
        this.next = next;
        this.accepting = accepting;
        minBytes = distances();
        for (int i = 0; i < next.length; i++) {
            if (next[i] != NONE && isDead(next[i])) {
                next[i] = NONE;
            }
        }
    }

    /** The state of a product of expressions. */
    private record Pair(Regex a, Regex b) {}

    /** What both match. */
    static Regex and(Regex a, Regex b) {
        return build(List.of(a, b), new Pair(a, b), p -> p.a().isNullable() && p.b().isNullable());
    }

    /** What the expression does not match. */
    static Regex not(Regex regex) {
        return build(List.of(regex), new Pair(regex, Regex.ANYTHING), p -> !p.a().isNullable());
    }

    /** The natural numbers, as digits without needless zeros, that a number divides: by the remainder of what has been read. */
    static Regex multiples(int divisor) {
        ByteClasses classes = new ByteClasses();
        for (int digit = 0; digit <= 9; digit++) {
            classes.split(ByteSet.of('0' + digit));
        }
        int width = classes.count();
        // State 0 is the beginning, state 1 a single zero, state 2 + r the remainder r of a number that does not begin with zero.
        int[] next = new int[(divisor + 2) * width];
        Arrays.fill(next, NONE);
        boolean[] accepting = new boolean[divisor + 2];
        accepting[1] = true;
        accepting[2] = true;
        for (int digit = 0; digit <= 9; digit++) {
            int column = classes.of('0' + digit);
            next[column] = digit == 0 ? 1 : 2 + digit % divisor;
            for (int rest = 0; rest < divisor; rest++) {
                next[(2 + rest) * width + column] = 2 + (rest * 10 + digit) % divisor;
            }
        }
        return Regex.automaton(new ByteDfa(classes, next, accepting), 0);
    }

    private static Regex build(List<Regex> of, Pair start, Predicate<Pair> accepts) {
        boolean complement = of.size() == 1;
        ByteClasses classes = new ByteClasses();
        of.forEach(regex -> regex.refine(classes));
        int[] bytes = classes.representatives();
        Map<Pair, Integer> numbers = new HashMap<>();
        List<Pair> states = new ArrayList<>();
        List<int[]> rows = new ArrayList<>();
        numbers.put(start, 0);
        states.add(start);
        for (int i = 0; i < states.size(); i++) {
            Pair state = states.get(i);
            int[] row = new int[bytes.length];
            for (int c = 0; c < bytes.length; c++) {
                Pair after =
                        new Pair(state.a().derivative(bytes[c]), state.b().derivative(bytes[c]));
                boolean dead = !complement && (after.a().isEmpty() || after.b().isEmpty());
                row[c] = dead
                        ? NONE
                        : numbers.computeIfAbsent(after, fresh -> {
                            if (states.size() == MAX_STATES) {
                                throw new ConstraintException("an expression is too complex: its automaton has more than "
                                        + MAX_STATES + " states.");
                            }
                            states.add(fresh);
                            return states.size() - 1;
                        });
            }
            rows.add(row);
        }
        int[] next = new int[states.size() * bytes.length];
        boolean[] accepting = new boolean[states.size()];
        for (int i = 0; i < accepting.length; i++) {
            System.arraycopy(rows.get(i), 0, next, i * bytes.length, bytes.length);
            accepting[i] = accepts.test(states.get(i));
        }
        return Regex.automaton(new ByteDfa(classes, next, accepting), 0);
    }

    private int[] distances() {
        int width = classes.count();
        List<List<Integer>> before = new ArrayList<>();
        for (int i = 0; i < accepting.length; i++) {
            before.add(new ArrayList<>());
        }
        for (int i = 0; i < next.length; i++) {
            if (next[i] != NONE) {
                before.get(next[i]).add(i / width);
            }
        }
        int[] distances = new int[accepting.length];
        Arrays.fill(distances, Regex.INFINITE);
        Deque<Integer> reached = new ArrayDeque<>();
        for (int i = 0; i < accepting.length; i++) {
            if (accepting[i]) {
                distances[i] = 0;
                reached.add(i);
            }
        }
        while (!reached.isEmpty()) {
            int state = reached.remove();
            for (int earlier : before.get(state)) {
                if (distances[earlier] == Regex.INFINITE) {
                    distances[earlier] = distances[state] + 1;
                    reached.add(earlier);
                }
            }
        }
        return distances;
    }

    boolean isDead(int state) {
        return minBytes[state] == Regex.INFINITE;
    }

    /** Whether nothing but the empty string is accepted from there. */
    boolean isEnd(int state) {
        int width = classes.count();
        for (int i = state * width; i < (state + 1) * width; i++) {
            if (next[i] != NONE) {
                return false;
            }
        }
        return accepting[state];
    }

    boolean accepts(int state) {
        return accepting[state];
    }

    int minBytes(int state) {
        return minBytes[state];
    }

    /** The state after a byte; negative where none is left. */
    int next(int state, int b) {
        return next[state * classes.count() + classes.of(b)];
    }

    ByteClasses classes() {
        return classes;
    }
}
