package dev.penstock.prompt.constraint;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/** Reads the trie of a vocabulary by one expression. */
final class LexWalk {
    /** Stands for most characters of a text: after it an expression tends to be in its loop. */
    private static final int USUAL = 'e';

    private static final int ASCII = 128;

    private final TokenTrie trie;
    private final TrieIndex index;
    private final Regex regex;
    private final @Nullable Loop loop;
    private final long[] mask;
    private final BitSet ends;

    /** What the loop alone allows has been added for tokens of at most so many bytes, where they are all of its characters. */
    private final int added;

    /** Tokens of at most so many bytes are known, and need not be looked at. */
    private final int known;

    private LexWalk(TokenTrie trie, TrieIndex index, Regex regex, @Nullable LexMask shorter) {
        this.trie = trie;
        this.index = index;
        this.regex = regex;
        Regex usual = regex.derivative(USUAL);
        Loop own = Loop.of(regex);
        loop = own == null && !usual.isEmpty() ? Loop.of(usual) : own;
        if (shorter != null) {
            known = index.shortBytes();
            added = 0;
            mask = shorter.tokens().clone();
            ends = (BitSet) shorter.ends().clone();
            index.keepShort(mask, ends);
            return;
        }
        known = 0;
        ends = new BitSet();
        if (loop == null) {
            added = 0;
            mask = index.none();
        } else {
            added = own != null ? own.room(regex) : Math.min(Regex.UNBOUNDED - 1, loop.room(usual)) + 1;
            mask = index.tokensOf(loop.characters(), added);
        }
    }

    /** All tokens. */
    static LexMask all(TokenTrie trie, TrieIndex index, Regex regex) {
        return new LexWalk(trie, index, regex, null).found();
    }

    /** The same where it is known of tokens that are short. */
    static LexMask longer(TokenTrie trie, TrieIndex index, Regex regex, LexMask shorter) {
        return new LexWalk(trie, index, regex, shorter).found();
    }

    private LexMask found() {
        Regex[] path = new Regex[trie.maxBytes() + 1];
        path[0] = regex;
        // Whether all bytes up to here are of the loop's characters, so that what goes on with those was added.
        boolean[] plain = new boolean[path.length];
        plain[0] = added > 0;
        int place = 0;
        while (place < trie.size()) {
            int end = trie.end(place);
            if (index.deepest(place) <= known) {
                place = end;
                continue;
            }
            int depth = trie.depth(place);
            int b = trie.byteAt(place);
            Regex after = path[depth - 1].derivative(b);
            plain[depth] = plain[depth - 1] && isInLoop(b) && (depth > 1 || entersLoop(b, after));
            if (depth == 1 && plain[0] && !plain[1]) {
                trie.removeTokens(place, mask);
            }
            if (after.isEmpty()) {
                place = end;
                continue;
            }
            path[depth] = after;
            if (depth > known) {
                trie.addTokens(place, mask);
            }
            boolean inner = end > place + 1;
            if (inner && after.isNullable() && depth >= known) {
                ends.set(place);
            }
            if (inner && isLoopBelow(place, depth, after)) {
                addBelow(place, plain[depth], after.isNullable());
                place = end;
            } else {
                place++;
            }
        }
        return new LexMask(mask, ends);
    }

    private boolean isInLoop(int b) {
        return loop != null
                && (b < ASCII ? loop.characters().has(b) : loop.characters().foreign());
    }

    /** Whether the first byte of a token leads to where it would lead from within the loop. */
    private boolean entersLoop(int b, Regex after) {
        Regex usual = regex.derivative(USUAL);
        return loop != null && (loop.room(regex) > 0 || after == (b < ASCII ? usual : usual.derivative(b)));
    }

    /** Whether all that lies below a place is read in the loop. */
    private boolean isLoopBelow(int place, int depth, Regex at) {
        if (loop == null || loop.room(at) < index.deepest(place) - depth) {
            return false;
        }
        // Where the loop may be left at any character it must be known where those end.
        boolean mayEnd = loop.mayEnd();
        return index.isBelow(place, loop.characters()) && (!mayEnd || (at.isNullable() && index.isInnerWhole(place)));
    }

    private void addBelow(int place, boolean isPlain, boolean mayEnd) {
        if (!isPlain || !index.isInnerWhole(place) || index.deepest(place) > added) {
            trie.addTokensBelow(place, mask);
        }
        if (mayEnd) {
            index.addWhole(place, ends);
        }
    }
}
