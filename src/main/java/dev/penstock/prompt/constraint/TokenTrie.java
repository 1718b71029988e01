package dev.penstock.prompt.constraint;

import dev.penstock.prompt.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The tokens of a vocabulary as a trie over their bytes, in arrays: its places stand in the order of a walk in depth. Special tokens
 * are where {@link #MARK} and their names lead, so that a grammar reaches them and no text does.
 */
final class TokenTrie {
    /** No byte of UTF-8. */
    static final int MARK = 0xFF;

    private static final int FIRST_NON_UTF8 = 0xF8;

    private final int vocabSize;
    private final byte[][] paths;
    private final int maxBytes;

    /** By place: the byte that leads to it, how many bytes lead to it in all, and the place after all that lies below it. */
    private final byte[] bytes;

    private final short[] depths;
    private final int[] ends;

    /** By place: where its tokens begin in {@link #tokens}; one more at the end. */
    private final int[] firsts;

    private final int[] tokens;

    private TokenTrie(byte[][] paths, byte[] bytes, short[] depths, int[] ends, int[] firsts, int[] tokens) {
        this.vocabSize = paths.length;
        this.paths = paths;
        this.bytes = bytes;
        this.depths = depths;
        this.ends = ends;
        this.firsts = firsts;
        this.tokens = tokens;
        int longest = 0;
        for (byte[] path : paths) {
            longest = Math.max(longest, path.length);
        }
        maxBytes = longest;
    }

    /** The trie of a tokenizer's tokens; those without bytes, and with bytes that UTF-8 never has, are left out. */
    static TokenTrie of(Tokenizer tokenizer) {
        byte[][] paths = new byte[tokenizer.vocabSize()][];
        List<Integer> sorted = new ArrayList<>();
        for (int token = 0; token < paths.length; token++) {
            paths[token] = path(tokenizer, token);
            if (paths[token].length > 0) {
                sorted.add(token);
            }
        }
        sorted.sort((a, b) -> Arrays.compareUnsigned(paths[a], paths[b]));
        return new Builder(paths, sorted).build();
    }

    private static byte[] path(Tokenizer tokenizer, int token) {
        byte[] own = tokenizer.bytes(token);
        if (tokenizer.isSpecial(token)) {
            return own.length == 0 ? own : marked(own);
        }
        for (byte b : own) {
            if ((b & 0xFF) >= FIRST_NON_UTF8) {
                return new byte[0];
            }
        }
        return own;
    }

    private static byte[] marked(byte[] name) {
        byte[] path = new byte[name.length + 1];
        path[0] = (byte) MARK;
        System.arraycopy(name, 0, path, 1, name.length);
        return path;
    }

    /** What leads to a special token. */
    static Regex special(String name) {
        return Regex.concat(
                Regex.range(MARK, MARK),
                Regex.literal(new String(name.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8)));
    }

    int vocabSize() {
        return vocabSize;
    }

    /** Bytes of the longest token. */
    int maxBytes() {
        return maxBytes;
    }

    /** The bytes that lead to a token; none if nothing does. */
    byte[] path(int token) {
        return paths[token];
    }

    /** Places; the root is none of them. */
    int size() {
        return bytes.length;
    }

    int byteAt(int place) {
        return bytes[place] & 0xFF;
    }

    /** Bytes that lead to a place, from 1. */
    int depth(int place) {
        return depths[place];
    }

    /** The place after all that lies below this one. */
    int end(int place) {
        return ends[place];
    }

    /** Puts a place's tokens into a mask. */
    void addTokens(int place, long[] mask) {
        for (int i = firsts[place]; i < firsts[place + 1]; i++) {
            mask[tokens[i] >> 6] |= 1L << tokens[i];
        }
    }

    /** Puts a place's tokens, and those below it, into a mask. */
    void addAllTokens(int place, long[] mask) {
        for (int i = firsts[place]; i < firsts[ends[place]]; i++) {
            mask[tokens[i] >> 6] |= 1L << tokens[i];
        }
    }

    /** Takes a place's tokens, and those below it, out of a mask. */
    void removeAllTokens(int place, long[] mask) {
        for (int i = firsts[place]; i < firsts[ends[place]]; i++) {
            mask[tokens[i] >> 6] &= ~(1L << tokens[i]);
        }
    }

    /** Whether tokens end at a place. */
    boolean hasTokens(int place) {
        return firsts[place] < firsts[place + 1];
    }

    /** Lays sorted tokens out. */
    private static final class Builder {
        private final byte[][] paths;
        private final List<Integer> sorted;
        private byte[] bytes = new byte[1 << 10];
        private short[] depths = new short[1 << 10];
        private int[] ends = new int[1 << 10];
        private int[] firsts = new int[1 << 10];
        private final int[] tokens;
        private int places;

        Builder(byte[][] paths, List<Integer> sorted) {
            this.paths = paths;
            this.sorted = sorted;
            tokens = new int[sorted.size()];
        }

        TokenTrie build() {
            List<Integer> open = new ArrayList<>();
            byte[] before = new byte[0];
            for (int i = 0; i < tokens.length; i++) {
                byte[] path = paths[sorted.get(i)];
                int shared = Arrays.mismatch(before, path);
                shared = shared < 0 ? path.length : shared;
                while (open.size() > shared) {
                    ends[open.removeLast()] = places;
                }
                for (int d = shared; d < path.length; d++) {
                    open.add(add(path[d], d + 1, i));
                }
                tokens[i] = sorted.get(i);
                before = path;
            }
            while (!open.isEmpty()) {
                ends[open.removeLast()] = places;
            }
            int[] starts = Arrays.copyOf(firsts, places + 1);
            starts[places] = tokens.length;
            return new TokenTrie(
                    paths,
                    Arrays.copyOf(bytes, places),
                    Arrays.copyOf(depths, places),
                    Arrays.copyOf(ends, places),
                    starts,
                    tokens);
        }

        private int add(byte b, int depth, int firstToken) {
            if (places == bytes.length) {
                int more = places * 2;
                bytes = Arrays.copyOf(bytes, more);
                depths = Arrays.copyOf(depths, more);
                ends = Arrays.copyOf(ends, more);
                firsts = Arrays.copyOf(firsts, more);
            }
            bytes[places] = b;
            depths[places] = (short) depth;
            firsts[places] = firstToken;
            return places++;
        }
    }
}
