package dev.penstock.prompt.constraint;

import dev.penstock.prompt.constraint.Config.Thread;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.WeakHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Which tokens may come next, found by walking the vocabulary's trie. What a regular expression allows by itself is found once, for
 * all grammars that it is in: the tokens that lie wholly inside of it, and the places of the trie at which it may be over. Only from
 * those places on does a mask depend on what comes after the expression. Safe for many threads.
 */
final class TokenMasks {
    /** Bytes of masks that are kept, those that were not used for longest going first. */
    private final long maxBytes;

    private final TokenTrie trie;
    private final TrieIndex index;

    /** Subtrees of fewer places are read without asking whether they need be. */
    private static final int LARGE = 32;

    // Guarded by itself.
    private final Map<Regex, Optional<Loop>> loops = new WeakHashMap<>();

    // Guarded by itself.
    private final Map<Object, Object> kept = new LinkedHashMap<>(256, 0.75f, true);
    private long keptBytes;

    /** For the tokens of this trie. */
    TokenMasks(TokenTrie trie, long maxBytes) {
        this.trie = trie;
        index = new TrieIndex(trie);
        this.maxBytes = maxBytes;
    }

    /** The tokens that may come next; nobody may write to it. The automaton must not be used by others meanwhile. */
    long[] allowed(Automaton automaton, Config config) {
        long[] known = (long[]) find(config);
        if (known != null) {
            return known;
        }
        long[] mask = new long[words()];
        for (Thread thread : config.threads()) {
            LexMask lex = lexMask(thread.regex());
            long[] tokens = lex.tokens();
            for (int i = 0; i < mask.length; i++) {
                mask[i] |= tokens[i];
            }
            if (!lex.ends().isEmpty()) {
                Config after = automaton.afterRegex(thread);
                if (!after.isEnd()) {
                    addAfter(automaton, after, lex.ends(), mask);
                }
            }
        }
        keep(config, mask, (long) mask.length * Long.BYTES);
        return mask;
    }

    /** Adds the tokens that go on with a configuration where an expression may be over. */
    private void addAfter(Automaton automaton, Config config, BitSet ends, long[] mask) {
        Config[] path = new Config[trie.maxBytes() + 1];
        for (int b = 0; b < 256; b++) {
            Config after = automaton.after(config, b);
            if (Automaton.isDead(after)) {
                continue;
            }
            for (int place : index.places(b)) {
                int parent = index.parent(place);
                if (parent >= 0 && ends.get(parent)) {
                    trie.addTokens(place, mask);
                    path[trie.depth(place)] = after;
                    walk(automaton, path, place, mask);
                }
            }
        }
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

    /** Adds the tokens below a place that the configuration there allows, which the path has. */
    private void walk(Automaton automaton, Config[] path, int from, long[] mask) {
        int place = from + 1;
        int end = trie.end(from);
        while (place < end) {
            int depth = trie.depth(place);
            Config before = path[depth - 1];
            int below = trie.end(place);
            if (below - place >= LARGE && isInLoop(before, place, depth)) {
                trie.addAllTokens(place, mask);
                place = below;
                continue;
            }
            Config after = automaton.after(before, trie.byteAt(place));
            if (Automaton.isDead(after)) {
                place = below;
                continue;
            }
            path[depth] = after;
            trie.addTokens(place, mask);
            place++;
        }
    }

    /** Whether an expression that is being read allows all that a place leads to. */
    private boolean isInLoop(Config before, int place, int depth) {
        for (Thread thread : before.threads()) {
            @Nullable Loop loop;
            synchronized (loops) {
                loop = loops.computeIfAbsent(thread.regex(), regex -> Optional.ofNullable(Loop.of(regex))).orElse(null);
            }
            if (loop != null
                    && loop.room(thread.regex()) > index.deepest(place) - depth
                    && index.isOf(place, loop.characters())) {
                return true;
            }
        }
        return false;
    }

    /** What an expression allows by itself. */
    LexMask lexMask(Regex exact) {
        Regex regex = exact.within(trie.maxBytes());
        LexMask known = (LexMask) find(regex);
        if (known != null) {
            return known;
        }
        // Most tokens are short, and for those counters can be cut to fewer states.
        Regex cut = regex.within(index.shortBytes());
        LexMask found =
                cut == regex ? LexWalk.all(trie, index, regex) : LexWalk.longer(trie, index, regex, lexMask(cut));
        keep(regex, found, bytes(found));
        return found;
    }

    private int words() {
        return (trie.vocabSize() + Long.SIZE - 1) / Long.SIZE;
    }

    private @Nullable Object find(Object key) {
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
                ? (long) lex.tokens().length * Long.BYTES + lex.ends().size() / Byte.SIZE
                : (long) ((long[]) value).length * Long.BYTES;
    }

    /** Bytes of masks that are kept, and of what they are found by. */
    long keptBytes() {
        synchronized (kept) {
            return keptBytes + index.bytes();
        }
    }
}
