package dev.penstock.prompt.constraint;

import dev.penstock.prompt.constraint.Config.Thread;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Which tokens may come next, found by walking the vocabulary's trie. What a regular expression allows by itself is found once, for
 * all grammars that it is in: the tokens that lie wholly inside of it, and the places of the trie at which it may be over. Only from
 * those places on does a mask depend on what comes after the expression. Safe for many threads.
 */
final class TokenMasks {
    /** Bytes of masks that are kept, those that were not used for longest going first. */
    private final long maxBytes;

    private final TokenTrie trie;

    // Guarded by itself.
    private final Map<Object, Object> kept = new LinkedHashMap<>(256, 0.75f, true);
    private long keptBytes;

    /** For the tokens of this trie. */
    TokenMasks(TokenTrie trie, long maxBytes) {
        this.trie = trie;
        this.maxBytes = maxBytes;
    }

    /**
     * What an expression allows by itself.
     *
     * @param inside tokens after which it goes on, or is just over
     * @param ends places of the trie, with others below them, at which it may be over
     */
    private record LexMask(long[] inside, int[] ends) {}

    /** The tokens that may come next; nobody may write to it. The automaton must not be used by others meanwhile. */
    long[] allowed(Automaton automaton, Config config) {
        long[] known = (long[]) find(config);
        if (known != null) {
            return known;
        }
        long[] mask = new long[words()];
        for (Thread thread : config.threads()) {
            LexMask lex = lexMask(thread.regex());
            for (int i = 0; i < mask.length; i++) {
                mask[i] |= lex.inside[i];
            }
            if (lex.ends.length > 0) {
                Config after = automaton.afterRegex(thread);
                if (!after.isEnd()) {
                    for (int place : lex.ends) {
                        walk(automaton, after, place, mask);
                    }
                }
            }
        }
        keep(config, mask, (long) mask.length * Long.BYTES);
        return mask;
    }

    /** Those after which a text can end within some bytes; of none, those that come closest to an end. */
    long[] allowedWithin(Automaton automaton, Config config, int bytes) {
        int[] best = {Regex.INFINITE};
        Config[] path = new Config[trie.maxBytes() + 1];
        visit(automaton, config, path, (place, after) -> best[0] = Math.min(best[0], after.minBytes()));
        int most = Math.max(bytes, best[0]);
        long[] mask = new long[words()];
        visit(automaton, config, path, (place, after) -> {
            if (after.minBytes() <= most) {
                trie.addTokens(place, mask);
            }
        });
        return mask;
    }

    private interface Visitor {
        void token(int place, Config after);
    }

    private void visit(Automaton automaton, Config config, Config[] path, Visitor visitor) {
        path[0] = config;
        int place = 0;
        while (place < trie.size()) {
            int depth = trie.depth(place);
            Config after = automaton.after(path[depth - 1], trie.byteAt(place));
            if (Automaton.isDead(after)) {
                place = trie.end(place);
                continue;
            }
            path[depth] = after;
            if (trie.hasTokens(place)) {
                visitor.token(place, after);
            }
            place++;
        }
    }

    /** Adds the tokens below a place that a configuration there allows. */
    private void walk(Automaton automaton, Config config, int from, long[] mask) {
        int base = trie.depth(from);
        Config[] path = new Config[trie.maxBytes() + 1 - base];
        path[0] = config;
        int place = from + 1;
        int end = trie.end(from);
        while (place < end) {
            int depth = trie.depth(place) - base;
            Config after = automaton.after(path[depth - 1], trie.byteAt(place));
            if (Automaton.isDead(after)) {
                place = trie.end(place);
                continue;
            }
            path[depth] = after;
            trie.addTokens(place, mask);
            place++;
        }
    }

    private LexMask lexMask(Regex exact) {
        Regex regex = exact.within(trie.maxBytes());
        LexMask known = (LexMask) find(regex);
        if (known != null) {
            return known;
        }
        long[] mask = new long[words()];
        int[] ends = new int[16];
        int count = 0;
        Regex[] path = new Regex[trie.maxBytes() + 1];
        path[0] = regex;
        int place = 0;
        while (place < trie.size()) {
            int depth = trie.depth(place);
            Regex after = path[depth - 1].derivative(trie.byteAt(place));
            if (after.isEmpty()) {
                place = trie.end(place);
                continue;
            }
            path[depth] = after;
            trie.addTokens(place, mask);
            if (after.isNullable() && trie.end(place) > place + 1) {
                if (count == ends.length) {
                    ends = Arrays.copyOf(ends, count * 2);
                }
                ends[count++] = place;
            }
            place++;
        }
        LexMask lex = new LexMask(mask, Arrays.copyOf(ends, count));
        keep(regex, lex, (long) mask.length * Long.BYTES + (long) count * Integer.BYTES);
        return lex;
    }

    private int words() {
        return (trie.vocabSize() + Long.SIZE - 1) / Long.SIZE;
    }

    private Object find(Object key) {
        synchronized (kept) {
            return kept.get(key);
        }
    }

    private void keep(Object key, Object value, long bytes) {
        synchronized (kept) {
            if (kept.put(key, value) == null) {
                keptBytes += bytes;
            }
            var oldest = kept.entrySet().iterator();
            while (keptBytes > maxBytes && kept.size() > 1) {
                keptBytes -= bytes(oldest.next().getValue());
                oldest.remove();
            }
        }
    }

    private static long bytes(Object value) {
        return value instanceof LexMask lex
                ? (long) lex.inside.length * Long.BYTES + (long) lex.ends.length * Integer.BYTES
                : (long) ((long[]) value).length * Long.BYTES;
    }

    /** Bytes of masks that are kept. */
    long keptBytes() {
        synchronized (kept) {
            return keptBytes;
        }
    }
}
