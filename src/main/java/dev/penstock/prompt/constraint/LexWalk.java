package dev.penstock.prompt.constraint;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Reads the trie of a vocabulary by one expression. */
final class LexWalk {
    private static final int ASCII = 128;
    private static final long[] NONE = {};

    /** Subtrees of fewer places are read without asking whether they need be. */
    private static final int LARGE = 8;

    private final TokenTrie trie;
    private final TrieIndex index;
    private final Regex regex;

    /** Where the usual character leads. */
    private final Regex usual;

    private final @Nullable Loop loop;

    /** Whether the expression is in the loop from the first byte on; else it may be once a character was read. */
    private final boolean own;

    private final long[] mask;
    private final long[] ends;

    /** What the loop alone allows has been added for tokens of at most so many bytes, where they are all of its characters. */
    private final int added;

    /** Tokens of at most so many bytes are known, and need not be looked at. */
    private final int known;

    private final Effort effort;

    private LexWalk(TokenTrie trie, TrieIndex index, Effort effort, Regex regex, @Nullable LexMask shorter) {
        this.trie = trie;
        this.effort = effort;
        this.index = index;
        this.regex = regex;
        usual = regex.derivative(Loop.USUAL);
        Loop here = regex.loop();
        Loop next = usual.loop();
        own = here != null && (next == null || here.characters().hasByte(Loop.USUAL));
        loop = own ? here : next;
        if (shorter != null) {
            known = index.shortBytes();
            added = 0;
            mask = shorter.tokens().clone();
            ends = shorter.ends().length == 0
                    ? index.noPlaces()
                    : shorter.ends().clone();
            index.keepShort(mask, ends);
            return;
        }
        known = 0;
        ends = index.noPlaces();
        if (loop == null) {
            added = 0;
            mask = index.none();
        } else {
            added = own ? loop.room(regex) : Math.min(Regex.UNBOUNDED - 1, loop.room(usual)) + 1;
            mask = index.tokensOf(loop.characters(), added);
        }
    }

    /** All tokens. */
    static LexMask all(TokenTrie trie, TrieIndex index, Effort effort, Regex regex) {
        return new LexWalk(trie, index, effort, regex, null).found();
    }

    /** The same where it is known of tokens that are short. */
    static LexMask longer(TokenTrie trie, TrieIndex index, Effort effort, Regex regex, LexMask shorter) {
        return new LexWalk(trie, index, effort, regex, shorter).found();
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
            Regex before = path[depth - 1];
            effort.spend(before.cost(b));
            Regex after = before.derivative(b);
            boolean entered = depth == 1 && entersLoop(b, after);
            if (depth == 1 && plain[0] && !entered) {
                trie.removeAllTokens(place, mask);
            }
            before = entered && !own ? usual : before;
            Loop around = end - place >= LARGE ? before.loop() : before == regex || before == usual ? loop : null;
            if (around != null && isRead(place, depth, before, around)) {
                addLoop(place, plain[depth - 1], around);
                place = end;
                continue;
            }
            if (after.isEmpty()) {
                place = end;
                continue;
            }
            plain[depth] = plain[depth - 1] && loop != null && loop.characters().hasByte(b) && (depth > 1 || entered);
            path[depth] = after;
            if (depth > known) {
                trie.addTokens(place, mask);
            }
            if (end > place + 1 && after.isNullable() && depth >= known) {
                TrieIndex.set(ends, place);
            }
            place++;
        }
        return new LexMask(mask, Arrays.stream(ends).allMatch(word -> word == 0) ? NONE : ends);
    }

    /** Whether the first byte of a token leads to where it would lead from within the loop. */
    private boolean entersLoop(int b, Regex after) {
        return own || after == (b < ASCII ? usual : usual.derivative(b));
    }

    /** Whether a place's byte and all that lies below is read in a loop. */
    private boolean isRead(int place, int depth, Regex before, Loop around) {
        if (around.room(before) < index.deepest(place) - depth + 1 || !index.isOf(place, around.characters())) {
            return false;
        }
        // Where the loop may be left at any character it must be known where those end.
        return !around.mayEnd() || (before.isNullable() && index.isAfterWhole(place));
    }

    private void addLoop(int place, boolean isPlain, Loop around) {
        if (!isPlain || !around.equals(loop) || !index.isAfterWhole(place) || index.deepest(place) > added) {
            trie.addAllTokens(place, mask);
        }
        if (around.mayEnd()) {
            index.addWhole(place, ends);
        }
    }
}
