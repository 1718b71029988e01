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
                options.add(length == 1 ? Regex.range(from, to) : sequences(encode(from, length), encode(to, length), 0));
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
            options.add(
                    Regex.concat(Regex.range(to[at], to[at]), sequences(filled(to, at + 1, 0x80), to, at + 1)));
        }
        return Regex.union(options);
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
