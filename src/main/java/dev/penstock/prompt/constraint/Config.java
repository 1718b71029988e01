package dev.penstock.prompt.constraint;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All that may be going on at a place of a text: a state of the automaton, which is determinised as far as it is walked. Equal ones
 * of an automaton are one object, unless the automaton has begun anew between them.
 */
final class Config {
    private final List<Thread> threads;
    private final boolean accepts;
    private final int minBytes;
    private @Nullable Config @Nullable [] next;

    /**
     * One way to read what has come.
     *
     * @param regex what is left of the regular expression that is being read; never the empty string alone
     * @param after what comes after it in its rule
     * @param node the stack below that rule
     */
    record Thread(Regex regex, Item after, StackNode node) {
        int minBytes() {
            long sum = (long) regex.minBytes() + after.minBytes() + node.minBytes();
            return (int) Math.min(sum, Regex.INFINITE);
        }
    }

    Config(List<Thread> threads, boolean accepts) {
        this.threads = List.copyOf(threads);
        this.accepts = accepts;
        int least = accepts ? 0 : Regex.INFINITE;
        for (Thread thread : threads) {
            least = Math.min(least, thread.minBytes());
        }
        minBytes = least;
    }

    /** The ways to read on. */
    List<Thread> threads() {
        return threads;
    }

    /** Whether the text may end here. */
    boolean accepts() {
        return accepts;
    }

    /** Whether nothing can follow. */
    boolean isEnd() {
        return threads.isEmpty();
    }

    /** Bytes of the shortest way to the end of the text. */
    int minBytes() {
        return minBytes;
    }

    /** What is known to follow a byte; null if nobody has asked. */
    @Nullable
    Config known(int b) {
        return next == null ? null : next[b];
    }

    /** Whether it holds a table of what follows. */
    boolean hasLearned() {
        return next != null;
    }

    void learn(int b, Config after) {
        if (next == null) {
            next = new @Nullable Config[256];
        }
        next[b] = after;
    }

    /** Lets go of what was learnt, so that nothing holds all that was ever read. */
    void forget() {
        next = null;
    }
}
