package dev.penstock.prompt.constraint;

import dev.penstock.prompt.constraint.Config.Thread;
import java.util.LinkedHashMap;
import java.util.Map;
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

    /** What a key holds beside its mask: a table of where bytes lead, above all. */
    private static final int KEY_BYTES = 2048;

    /** Up to so many ends are looked at one by one. */
    private static final int FEW = 500;

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
            LexMask lex = lexMask(thread.regex(), automaton.effort());
            long[] tokens = lex.tokens();
            for (int i = 0; i < mask.length; i++) {
                mask[i] |= tokens[i];
            }
            if (lex.ends().length > 0) {
                Config after = automaton.afterRegex(thread);
                if (!after.isEnd()) {
                    addAfter(automaton, after, lex, mask);
                }
            }
        }
        keep(config, mask);
        return mask;
    }

    /** Adds the tokens that go on with a configuration where an expression may be over. */
    private void addAfter(Automaton automaton, Config config, LexMask lex, long[] mask) {
        @Nullable Config[] path = new @Nullable Config[trie.maxBytes() + 1];
        long[] ends = lex.ends();
        if (lex.endCount() <= FEW) {
            for (int i = 0; i < ends.length; i++) {
                for (long left = ends[i]; left != 0; left &= left - 1) {
                    int place = i * Long.SIZE + Long.numberOfTrailingZeros(left);
                    path[trie.depth(place)] = config;
                    walk(automaton, path, place, mask);
                }
            }
            return;
        }
        for (int b = 0; b < 256; b++) {
            Config after = automaton.after(config, b);
            if (Automaton.isDead(after)) {
                continue;
            }
            for (int place : index.places(b)) {
                int parent = index.parent(place);
                if (parent >= 0 && TrieIndex.has(ends, parent)) {
                    trie.addTokens(place, mask);
                    path[trie.depth(place)] = after;
                    walk(automaton, path, place, mask);
                }
            }
        }
    }

    /** Those after which a text can end within some bytes; of none, those that come closest to an end. */
    long[] allowedWithin(Automaton automaton, Config config, int bytes) {
        long[] mask = new long[words()];
        int[] least = {Regex.INFINITE};
        visit(automaton, config, (place, all, after) -> {
            if (after.minBytes() <= bytes) {
                add(place, all, mask);
            }
            least[0] = Math.min(least[0], after.minBytes());
        });
        if (least[0] > bytes) {
            visit(automaton, config, (place, all, after) -> {
                if (after.minBytes() == least[0]) {
                    add(place, all, mask);
                }
            });
        }
        return mask;
    }

    private void add(int place, boolean all, long[] mask) {
        if (all) {
            trie.addAllTokens(place, mask);
        } else {
            trie.addTokens(place, mask);
        }
    }

    private interface Visitor {
        /** The configuration after a place's tokens, or after those below it too. */
        void tokens(int place, boolean all, Config after);
    }

    private void visit(Automaton automaton, Config config, Visitor visitor) {
        Config[] path = new Config[trie.maxBytes() + 1];
        path[0] = config;
        int place = 0;
        while (place < trie.size()) {
            int depth = trie.depth(place);
            Config before = path[depth - 1];
            int below = trie.end(place);
            if (below - place >= LARGE && leadsBack(automaton, before) && isInLoop(before, place, depth)) {
                visitor.tokens(place, true, before);
                place = below;
                continue;
            }
            Config after = automaton.after(before, trie.byteAt(place));
            if (Automaton.isDead(after)) {
                place = below;
                continue;
            }
            path[depth] = after;
            if (trie.hasTokens(place)) {
                visitor.tokens(place, false, after);
            }
            place++;
        }
    }

    /** Whether reading a character of a loop leads to the same configuration. */
    private static boolean leadsBack(Automaton automaton, Config config) {
        if (config.threads().size() != 1) {
            return false;
        }
        Loop loop = config.threads().getFirst().regex().loop();
        return loop != null && loop.characters().hasByte(Loop.USUAL) && automaton.after(config, Loop.USUAL) == config;
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
            Loop loop = thread.regex().loop();
            if (loop != null
                    && loop.room(thread.regex()) > index.deepest(place) - depth
                    && index.isOf(place, loop.characters())) {
                return true;
            }
        }
        return false;
    }

    /** What an expression allows by itself. */
    LexMask lexMask(Regex exact, Effort effort) {
        Regex regex = exact.within(trie.maxBytes());
        LexMask known = (LexMask) find(regex);
        if (known != null) {
            return known;
        }
        // Most tokens are short, and for those counters can be cut to fewer states.
        Regex cut = regex.within(index.shortBytes());
        LexMask found = cut == regex
                ? LexWalk.all(trie, index, effort, regex)
                : LexWalk.longer(trie, index, effort, regex, lexMask(cut, effort));
        keep(regex, found);
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

    private void keep(Object key, Object value) {
        synchronized (kept) {
            if (kept.put(key, value) == null) {
                keptBytes += bytes(value);
            }
            var oldest = kept.entrySet().iterator();
            while (keptBytes > maxBytes && kept.size() > 1) {
                keptBytes -= bytes(oldest.next().getValue());
                oldest.remove();
            }
        }
    }

    /** Of a mask with its key. */
    private static long bytes(Object value) {
        long words = value instanceof LexMask lex ? lex.tokens().length + lex.ends().length : ((long[]) value).length;
        return words * Long.BYTES + KEY_BYTES;
    }

    /** Bytes of masks that are kept, and of what they are found by. */
    long keptBytes() {
        synchronized (kept) {
            return keptBytes + index.bytes();
        }
    }
}
