package dev.penstock.prompt.tokenizer;

import dev.penstock.prompt.EncoderInput;
import dev.penstock.prompt.PairTokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A tokenizer described by a {@code tokenizer.json}. It owns native memory, freed by {@link #close}; calls after that
 * fail with {@link IllegalStateException}.
 *
 * <p>Texts are never truncated or padded, whatever the file says. A text that holds the name of an added token, such as
 * {@code </s>}, is encoded to that very token, as Hugging Face's library does: in a rendered chat template that is how
 * control tokens come about, and it holds for what a user wrote in a message, too. Whoever wants to tell the two apart
 * compares the ids with those of the template rendered around empty messages.
 */
public final class HfTokenizer implements PairTokenizer, AutoCloseable {
    /** The largest known files have 35 MB. */
    static final long MAX_FILE_BYTES = 256L << 20;

    /** Longest text that is encoded, in UTF-16 units: more tokens than any context, a few seconds of work. */
    public static final int MAX_TEXT_CHARS = 16 << 20;

    private static final byte[] NO_BYTES = {};

    private final Vocabulary vocabulary;
    private final TokenDecoder decoder;
    /** Readers use the native tokenizer, the writer frees it. */
    private final ReadWriteLock use = new ReentrantReadWriteLock();

    private long handle;

    private HfTokenizer(TokenizerFile file, long handle) {
        this.vocabulary = file.vocabulary();
        this.decoder = file.decoder();
        this.handle = handle;
    }

    /** Loads the native library, as the first tokenizer would, for whoever has time before. */
    public static void loadLibrary() {
        Objects.requireNonNull(NativeTokenizers.LIBRARY);
    }

    /**
     * Loads a {@code tokenizer.json}.
     *
     * @throws IOException it can't be read, is too large, or is no tokenizer that can be used; the message names the
     *     file and the cause
     */
    public static HfTokenizer load(Path file) throws IOException {
        long size = Files.size(file);
        if (size > MAX_FILE_BYTES) {
            throw new IOException(
                    file + ": has " + size + " bytes; a tokenizer of more than " + MAX_FILE_BYTES + " is not loaded");
        }
        try {
            return of(new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    /**
     * Loads a tokenizer from the text of a {@code tokenizer.json}.
     *
     * @throws IOException it is no tokenizer that can be used
     */
    public static HfTokenizer of(String tokenizerJson) throws IOException {
        // Read here first: what is not a tokenizer never reaches native code.
        TokenizerFile file = TokenizerFile.read(tokenizerJson);
        long handle;
        try {
            handle = NativeTokenizers.LIBRARY.createTokenizerFromString(tokenizerJson);
        } catch (RuntimeException e) {
            throw new IOException("not a usable tokenizer: " + e.getMessage(), e);
        }
        NativeTokenizers.LIBRARY.disableTruncation(handle);
        NativeTokenizers.LIBRARY.disablePadding(handle);
        return new HfTokenizer(file, handle);
    }

    /**
     * {@inheritDoc}
     *
     * <p>Halves of surrogate pairs are read as U+FFFD.
     *
     * @throws IllegalArgumentException the text is longer than {@link #MAX_TEXT_CHARS}
     */
    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        checkLength(text);
        String valid = withoutLoneSurrogates(text);
        return using(h -> {
            long encoding = NativeTokenizers.LIBRARY.encode(h, valid, addSpecialTokens);
            try {
                return ints(NativeTokenizers.LIBRARY.getTokenIds(encoding));
            } finally {
                NativeTokenizers.LIBRARY.deleteEncoding(encoding);
            }
        });
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException also where a text is longer than {@link #MAX_TEXT_CHARS}
     */
    @Override
    public EncoderInput encodePair(String first, String second, int maxTokens) {
        checkLength(first);
        checkLength(second);
        String validFirst = withoutLoneSurrogates(first);
        String validSecond = withoutLoneSurrogates(second);
        return using(h -> {
            long encoding = NativeTokenizers.LIBRARY.encodeDual(h, validFirst, validSecond, true);
            try {
                return cut(
                        ints(NativeTokenizers.LIBRARY.getTokenIds(encoding)),
                        ints(NativeTokenizers.LIBRARY.getTypeIds(encoding)),
                        NativeTokenizers.LIBRARY.getSequenceIds(encoding),
                        maxTokens);
            } finally {
                NativeTokenizers.LIBRARY.deleteEncoding(encoding);
            }
        });
    }

    /** Without so many tokens at the end of the second text that the rest has room. */
    private static EncoderInput cut(int[] tokens, int[] types, long[] sequences, int maxTokens) {
        int excess = tokens.length - maxTokens;
        if (excess <= 0) {
            return new EncoderInput(tokens, types);
        }
        int end = sequences.length;
        while (end > 0 && sequences[end - 1] != 1) {
            end--;
        }
        int begin = end;
        while (begin > 0 && sequences[begin - 1] == 1) {
            begin--;
        }
        if (end - begin <= excess) {
            throw new IllegalArgumentException("the first text leaves the second one no room in " + maxTokens
                    + " tokens: without it there are " + (tokens.length - (end - begin)));
        }
        return new EncoderInput(without(tokens, end - excess, end), without(types, end - excess, end));
    }

    private static int[] without(int[] array, int begin, int end) {
        int[] rest = Arrays.copyOf(array, array.length - (end - begin));
        System.arraycopy(array, end, rest, begin, array.length - end);
        return rest;
    }

    private static void checkLength(String text) {
        if (text.length() > MAX_TEXT_CHARS) {
            throw new IllegalArgumentException(
                    "a text of " + text.length() + " characters is longer than the limit of " + MAX_TEXT_CHARS);
        }
    }

    private static int[] ints(long[] longs) {
        int[] ints = new int[longs.length];
        for (int i = 0; i < longs.length; i++) {
            ints[i] = (int) longs[i];
        }
        return ints;
    }

    /** {@inheritDoc} Ids that no token has are left out. */
    @Override
    public String decode(int[] tokens, boolean skipSpecialTokens) {
        long[] ids = new long[tokens.length];
        int known = 0;
        for (int token : tokens) {
            if (vocabulary.contains(token)) {
                ids[known++] = token;
            }
        }
        long[] knownIds = Arrays.copyOf(ids, known);
        return using(h -> NativeTokenizers.LIBRARY.decode(h, knownIds, skipSpecialTokens));
    }

    /** {@inheritDoc} None for an id that no token has. */
    @Override
    public byte[] bytes(int token) {
        String name = vocabulary.name(token);
        if (name == null) {
            return NO_BYTES;
        }
        if (vocabulary.isSpecial(token)) {
            return name.getBytes(StandardCharsets.UTF_8);
        }
        return vocabulary.isAdded(token) ? decoder.bytesOfAdded(name) : decoder.bytes(name);
    }

    @Override
    public boolean isSpecial(int token) {
        return vocabulary.isSpecial(token);
    }

    @Override
    public OptionalInt id(String token) {
        return vocabulary.id(token);
    }

    @Override
    public int vocabSize() {
        return vocabulary.size();
    }

    /** Frees the native memory once no call uses it any more; a second call does nothing. */
    @Override
    public void close() {
        Lock writer = use.writeLock();
        writer.lock();
        try {
            if (handle != 0) {
                NativeTokenizers.LIBRARY.deleteTokenizer(handle);
                handle = 0;
            }
        } finally {
            writer.unlock();
        }
    }

    private interface NativeCall<T> {
        T on(long handle);
    }

    private <T> T using(NativeCall<T> call) {
        Lock reader = use.readLock();
        reader.lock();
        try {
            if (handle == 0) {
                throw new IllegalStateException("the tokenizer is closed");
            }
            return call.on(handle);
        } finally {
            reader.unlock();
        }
    }

    /** The native library would take the whole text for invalid and spoil every character beyond U+FFFF. */
    private static String withoutLoneSurrogates(String text) {
        if (text.codePoints().noneMatch(HfTokenizer::isLoneSurrogate)) {
            return text;
        }
        StringBuilder valid = new StringBuilder(text.length());
        text.codePoints().forEach(c -> valid.appendCodePoint(isLoneSurrogate(c) ? 0xFFFD : c));
        return valid.toString();
    }

    private static boolean isLoneSurrogate(int codePoint) {
        return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
    }
}
