package dev.penstock.prompt.constraint;

import java.util.ArrayList;
import java.util.List;

/** Ranges of code points as the bytes of UTF-8 (RFC 3629). */
final class Utf8 {
    /** The last code point of each length, in bytes from 1. */
    private static final int[] LAST = {0x7F, 0x7FF, 0xFFFF, 0x10FFFF};

    private static final int FIRST_SURROGATE = 0xD800;
    private static final int LAST_SURROGATE = 0xDFFF;

    private Utf8() {}

    /** One code point from {@code lo} to {@code hi}; surrogates are none. */
    static Regex range(int lo, int hi) {
        if (lo > hi) {
            return Regex.EMPTY;
        }
        if (lo <= LAST_SURROGATE && hi >= FIRST_SURROGATE) {
            return Regex.union(range(lo, FIRST_SURROGATE - 1), range(LAST_SURROGATE + 1, hi));
        }
        List<Regex> options = new ArrayList<>();
        int from = lo;
        for (int length = 1; length <= LAST.length && from <= hi; length++) {
            int to = Math.min(hi, LAST[length - 1]);
            if (from <= to) {
                options.add(
                        length == 1 ? Regex.range(from, to) : sequences(encode(from, length), encode(to, length), 0));
                from = to + 1;
            }
        }
        return Regex.union(options);
    }

    /** All encodings from one to another of the same length, whose first {@code at} bytes are the same and done with. */
    private static Regex sequences(int[] from, int[] to, int at) {
        if (at == from.length - 1) {
            return Regex.range(from[at], to[at]);
        }
        if (from[at] == to[at]) {
            return Regex.concat(Regex.range(from[at], from[at]), sequences(from, to, at + 1));
        }
        List<Regex> options = new ArrayList<>();
        int first = from[at];
        int last = to[at];
        if (!all(from, at + 1, 0x80)) {
            options.add(Regex.concat(Regex.range(first, first), sequences(from, filled(from, at + 1, 0xBF), at + 1)));
            first++;
        }
        boolean cut = !all(to, at + 1, 0xBF);
        if (cut) {
            last--;
        }
        if (first <= last) {
            Regex rest = Regex.repeat(Regex.range(0x80, 0xBF), from.length - at - 1, from.length - at - 1);
            options.add(Regex.concat(Regex.range(first, last), rest));
        }
        if (cut) {
            options.add(Regex.concat(Regex.range(to[at], to[at]), sequences(filled(to, at + 1, 0x80), to, at + 1)));
        }
        return Regex.union(options);
    }

    /** How many bytes the character at a place has; 0 if none that is well-formed and whole begins there. */
    static int lengthAt(byte[] bytes, int at) {
        int first = bytes[at] & 0xFF;
        if (first < 0x80) {
            return 1;
        }
        int length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
        if (length == 0 || at + length > bytes.length) {
            return 0;
        }
        int second = bytes[at + 1] & 0xFF;
        if (second < firstContinuation(first) || second > lastContinuation(first)) {
            return 0;
        }
        for (int i = 2; i < length; i++) {
            if ((bytes[at + i] & 0xC0) != 0x80) {
                return 0;
            }
        }
        return length;
    }

    /** The least byte that may follow the first one of a character. */
    static int firstContinuation(int first) {
        return first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    }

    /** The greatest. */
    static int lastContinuation(int first) {
        return first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    }

    private static boolean all(int[] bytes, int from, int value) {
        for (int i = from; i < bytes.length; i++) {
            if (bytes[i] != value) {
                return false;
            }
        }
        return true;
    }

    private static int[] filled(int[] bytes, int from, int value) {
        int[] copy = bytes.clone();
        for (int i = from; i < copy.length; i++) {
            copy[i] = value;
        }
        return copy;
    }

    private static int[] encode(int codePoint, int length) {
        int[] bytes = new int[length];
        int rest = codePoint;
        for (int i = length - 1; i > 0; i--) {
            bytes[i] = 0x80 | (rest & 0x3F);
            rest >>= 6;
        }
        bytes[0] = (0xF00 >> length & 0xFF) | rest;
        return bytes;
    }
}
