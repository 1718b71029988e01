package dev.penstock.ops.quality;

import dev.penstock.prompt.Tokenizer;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/**
 * A text as the sequences of tokens that are predicted, each on its own.
 *
 * @param windows each begins with the token of a text's begin, where the model has one
 */
public record TextWindows(List<int[]> windows) {
    /** Larger files are refused: no measure needs more, and all of it is encoded at once. */
    private static final long MAX_BYTES = 16 << 20;

    /** Fewer tokens say nothing about a model. */
    private static final int MIN_TOKENS = 64;

    /**
     * Reads a file and cuts it.
     *
     * @param begin token that a text begins with, if the model has one
     * @param length tokens of a window, at least 2
     * @param limit tokens of the text that are used, at most
     * @throws IllegalArgumentException the file can't be read, is no UTF-8, too large, or has too little text
     */
    public static TextWindows read(Path file, Tokenizer tokenizer, OptionalInt begin, int length, int limit) {
        return of(file.toString(), text(file), tokenizer, begin, length, limit);
    }

    /** As {@link #read}, for a text that is there; messages call it by that name. */
    static TextWindows of(String name, String text, Tokenizer tokenizer, OptionalInt begin, int length, int limit) {
        if (text.isBlank()) {
            throw new IllegalArgumentException(name + ": expected a text to predict, found it empty");
        }
        int[] all = tokenizer.encode(text, false);
        int[] tokens = Arrays.copyOf(all, Math.min(all.length, limit));
        if (tokens.length < MIN_TOKENS) {
            throw new IllegalArgumentException(
                    "%s: expected a text of at least %d tokens, found %d".formatted(name, MIN_TOKENS, tokens.length));
        }
        int prefix = begin.isPresent() ? 1 : 0;
        int step = length - prefix;
        List<int[]> windows = new ArrayList<>();
        // A window needs a token to predict and one before it.
        for (int from = 0; from + 2 - prefix <= tokens.length; from += step) {
            int count = Math.min(step, tokens.length - from);
            int[] window = new int[prefix + count];
            begin.ifPresent(token -> window[0] = token);
            System.arraycopy(tokens, from, window, prefix, count);
            windows.add(window);
        }
        return new TextWindows(List.copyOf(windows));
    }

    /** Tokens of the longest window. */
    int longest() {
        return windows.stream().mapToInt(w -> w.length).max().orElseThrow();
    }

    private static String text(Path file) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new IllegalArgumentException("%s: expected at most %,d bytes, found %,d; cut it"
                        .formatted(file, MAX_BYTES, Files.size(file)));
            }
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(file + ": expected UTF-8, found other bytes", e);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " can't be read: " + e, e);
        }
    }
}
