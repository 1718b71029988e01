package dev.penstock.prompt.constraint;

import java.util.Arrays;
import java.util.BitSet;

/** What lies below the places of a trie, and which tokens have which bytes: by this a walk leaves out what it need not read. */
final class TrieIndex {
    private static final int ASCII = 128;

    /** One of so many tokens is long. */
    private static final int LONG_TOKENS = 50;

    private final TokenTrie trie;

    /** By place: the bytes below 64 and those from 64 to 127 that occur below it, and how deep that reaches. */
    private final long[] lowBelow;

    private final long[] highBelow;
    private final short[] deepest;

    /** Places below which there is something that is not ASCII; and those from whose own byte on there are not only whole characters. */
    private final BitSet foreignBelow;

    private final BitSet brokenFrom;

    /** Places to which whole characters lead, and that others lie below. */
    private final long[] whole;

    /** Places of at least {@link #shortBytes} bytes. */
    private final long[] deep;

    private final int shortBytes;

    private final int[] parents;

    /** By byte: the places that it leads to. */
    private final int[][] places = new int[256][];

    /** By byte of ASCII: the tokens that have it. */
    private final long[][] having = new long[ASCII][];

    /** Tokens with bytes beyond ASCII, and those among them that are not whole characters. */
    private final long[] foreign;

    private final long[] broken;

    /** By number of bytes: the tokens that have no more. */
    private final long[][] upTo;

    TrieIndex(TokenTrie trie) {
        this.trie = trie;
        int size = trie.size();
        int words = (trie.vocabSize() + Long.SIZE - 1) / Long.SIZE;
        lowBelow = new long[size];
        highBelow = new long[size];
        deepest = new short[size];
        foreignBelow = new BitSet(size);
        brokenFrom = new BitSet(size);
        whole = noPlaces();
        deep = noPlaces();
        parents = new int[size];
        foreign = new long[words];
        broken = new long[words];
        upTo = new long[trie.maxBytes() + 1][words];
        for (int b = 0; b < ASCII; b++) {
            having[b] = new long[words];
        }
        findParents();
        findBelow();
        for (int token = 0; token < trie.vocabSize(); token++) {
            addToken(token);
        }
        for (int length = 1; length < upTo.length; length++) {
            or(upTo[length], upTo[length - 1]);
        }
        int length = upTo.length - 1;
        int all = count(upTo[length]);
        while (length > 1 && count(upTo[length - 1]) > all - all / LONG_TOKENS) {
            length--;
        }
        shortBytes = length;
        for (int place = 0; place < size; place++) {
            if (trie.depth(place) >= shortBytes) {
                set(deep, place);
            }
        }
    }

    private static int count(long[] mask) {
        return Arrays.stream(mask).mapToInt(Long::bitCount).sum();
    }

    private void findParents() {
        int[] path = new int[trie.maxBytes() + 1];
        path[0] = -1;
        int[] counts = new int[256];
        for (int place = 0; place < parents.length; place++) {
            int depth = trie.depth(place);
            parents[place] = path[depth - 1];
            path[depth] = place;
            counts[trie.byteAt(place)]++;
        }
        for (int b = 0; b < 256; b++) {
            places[b] = new int[counts[b]];
        }
        for (int place = parents.length - 1; place >= 0; place--) {
            int b = trie.byteAt(place);
            places[b][--counts[b]] = place;
        }
    }

    private void findBelow() {
        for (int place = parents.length - 1; place >= 0; place--) {
            deepest[place] = (short) Math.max(deepest[place], trie.depth(place));
            int parent = parents[place];
            if (parent < 0) {
                continue;
            }
            int b = trie.byteAt(place);
            lowBelow[parent] |= lowBelow[place] | (b < Long.SIZE ? 1L << b : 0);
            highBelow[parent] |= highBelow[place] | (b >= Long.SIZE && b < ASCII ? 1L << b : 0);
            deepest[parent] = (short) Math.max(deepest[parent], deepest[place]);
            if (b >= ASCII || foreignBelow.get(place)) {
                foreignBelow.set(parent);
            }
        }
        for (int place = 0; place < parents.length; place++) {
            byte[] bytes = bytesTo(place);
            if (trie.end(place) > place + 1 && wellFormedFrom(bytes, 0)) {
                set(whole, place);
            }
            if (trie.hasTokens(place)) {
                markBroken(place, bytes);
            }
        }
    }

    private byte[] bytesTo(int place) {
        byte[] bytes = new byte[trie.depth(place)];
        int at = place;
        for (int i = bytes.length - 1; i >= 0; i--) {
            bytes[i] = (byte) trie.byteAt(at);
            at = parents[at];
        }
        return bytes;
    }

    private void markBroken(int place, byte[] bytes) {
        boolean[] wellFormed = new boolean[bytes.length + 1];
        wellFormed[bytes.length] = true;
        int at = place;
        for (int from = bytes.length - 1; from >= 0; from--) {
            int length = Utf8.lengthAt(bytes, from);
            wellFormed[from] = length > 0 && wellFormed[from + length];
            if (!wellFormed[from]) {
                brokenFrom.set(at);
            }
            at = parents[at];
        }
    }

    private void addToken(int token) {
        byte[] bytes = trie.path(token);
        if (bytes.length == 0) {
            return;
        }
        long bit = 1L << token;
        upTo[bytes.length][token >> 6] |= bit;
        for (byte b : bytes) {
            (b >= 0 ? having[b] : foreign)[token >> 6] |= bit;
        }
        if (!wellFormedFrom(bytes, 0)) {
            broken[token >> 6] |= bit;
        }
    }

    private static boolean wellFormedFrom(byte[] bytes, int from) {
        int at = from;
        while (at < bytes.length) {
            int length = Utf8.lengthAt(bytes, at);
            if (length == 0) {
                return false;
            }
            at += length;
        }
        return true;
    }

    private static void or(long[] to, long[] from) {
        for (int i = 0; i < to.length; i++) {
            to[i] |= from[i];
        }
    }

    /** The tokens all of whose characters are in a set, of at most so many bytes. */
    long[] tokensOf(PlainSet set, int bytes) {
        long[] others = (set.foreign() ? broken : foreign).clone();
        for (int b = 0; b < ASCII; b++) {
            if (!set.has(b)) {
                or(others, having[b]);
            }
        }
        long[] within = upTo[Math.min(bytes, trie.maxBytes())];
        for (int i = 0; i < others.length; i++) {
            others[i] = within[i] & ~others[i];
        }
        return others;
    }

    /** Whether a place's byte, and all that lies below it, are made of characters of a set. */
    boolean isOf(int place, PlainSet set) {
        int b = trie.byteAt(place);
        return set.hasByte(b)
                && (lowBelow[place] & ~set.low()) == 0
                && (highBelow[place] & ~set.high()) == 0
                && !(set.foreign() ? brokenFrom : foreignBelow).get(place);
    }

    /** How many bytes the longest token below a place has. */
    int deepest(int place) {
        return deepest[place];
    }

    /** Whether whole characters lead to what comes before a place's byte. */
    boolean isAfterWhole(int place) {
        return parents[place] < 0 || has(whole, parents[place]);
    }

    /** Adds a place and those below it, where whole characters lead to them and others lie below. */
    void addWhole(int place, long[] to) {
        int last = trie.end(place) - 1;
        for (int i = place >> 6; i <= last >> 6; i++) {
            long from = i == place >> 6 ? -1L << place : -1L;
            long until = i == last >> 6 ? -1L >>> -(last + 1) : -1L;
            to[i] |= whole[i] & from & until;
        }
    }

    /** No places, a bit each. */
    long[] noPlaces() {
        return new long[(trie.size() + Long.SIZE - 1) / Long.SIZE];
    }

    /** Whether a place is in a set. */
    static boolean has(long[] places, int place) {
        return (places[place >> 6] >>> place & 1) != 0;
    }

    /** Puts a place into a set. */
    static void set(long[] places, int place) {
        places[place >> 6] |= 1L << place;
    }

    /** Tokens of at most so many bytes are short; nearly all are. */
    int shortBytes() {
        return shortBytes;
    }

    /** Takes what is not short out of a mask and of places. */
    void keepShort(long[] mask, long[] places) {
        for (int i = 0; i < mask.length; i++) {
            mask[i] &= upTo[shortBytes][i];
        }
        for (int i = 0; i < places.length; i++) {
            places[i] &= ~deep[i];
        }
    }

    /** No tokens. */
    long[] none() {
        return new long[foreign.length];
    }

    /** The place before the last byte of one; negative for the root. */
    int parent(int place) {
        return parents[place];
    }

    /** The places that a byte leads to; nobody may write to them. */
    int[] places(int b) {
        return places[b];
    }

    /** Bytes that are held, about. */
    long bytes() {
        long words = foreign.length;
        long masks = (ASCII + 2L + upTo.length) * words * Long.BYTES;
        return masks + (long) parents.length * (2 * Long.BYTES + Short.BYTES + 2 * Integer.BYTES + 1);
    }
}
