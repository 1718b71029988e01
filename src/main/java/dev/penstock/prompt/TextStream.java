package dev.penstock.prompt;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Turns a completion's tokens into text piece by piece: never half a character, never a part of what could become a
 * stop string. For one sequence, used by one thread.
 *
 * <p>The text is that of the tokens' bytes in a row, special tokens left out but for those that are shown, bytes that are
 * not UTF-8 as U+FFFD; it does not depend on how the bytes are cut into tokens. The stop string whose end comes first ends the text; of several that
 * end at the same place, the one that began first. One that ends within the first {@code minTokens} tokens is text like
 * any other; one that begins there and ends later counts. The time is linear in the number of bytes.
 */
public final class TextStream {
    private final Tokenizer tokenizer;
    private final StopMatcher[] stops;
    private final int minTokens;
    private final Set<Integer> shownTokens;
    private final Utf8Decoder decoder = new Utf8Decoder();

    /** Decoded text; what lies before {@code released} was handed out. */
    private final StringBuilder text = new StringBuilder();

    private int released;
    private int tokens;
    private @Nullable String reached;

    /**
     * A stream for one completion; {@code stop} strings end it and are not part of its text.
     *
     * @param minTokens tokens, special ones included, before whose end the text has none
     * @param shownTokens special tokens whose names are part of the text
     * @throws IllegalArgumentException a stop string is empty
     */
    public TextStream(Tokenizer tokenizer, List<String> stop, int minTokens, Set<Integer> shownTokens) {
        this.tokenizer = tokenizer;
        this.minTokens = minTokens;
        this.shownTokens = shownTokens;
        this.stops = stop.stream().map(StopMatcher::new).toArray(StopMatcher[]::new);
    }

    /** Takes the next token; returns the text that is now safe to send, possibly empty. After a stop: empty. */
    public String push(int token) {
        tokens++;
        if (reached != null || (tokenizer.isSpecial(token) && !shownTokens.contains(token))) {
            return "";
        }
        for (byte b : tokenizer.bytes(token)) {
            decoder.push(b, this::append);
            if (reached != null) {
                break;
            }
        }
        return release(held());
    }

    /** The stop string that the text reached, if it did. */
    public @Nullable String stopSequence() {
        return reached;
    }

    /** Ends the stream; returns what was held back, incomplete characters as U+FFFD. After a stop: empty. */
    public String finish() {
        decoder.finish(this::append);
        return release(0);
    }

    private void append(int codePoint) {
        if (reached != null) {
            return;
        }
        text.appendCodePoint(codePoint);
        int longest = 0;
        for (StopMatcher stop : stops) {
            if (!stop.push(codePoint)) {
                continue;
            }
            if (tokens <= minTokens) {
                stop.passOver();
            } else if (stop.heldChars() > longest) {
                longest = stop.heldChars();
                reached = stop.text();
            }
        }
        // Its beginning was held back, so none of it has been released.
        text.setLength(text.length() - longest);
    }

    /** Chars at the end of the text that may yet turn out to belong to a stop string. */
    private int held() {
        int held = 0;
        if (reached == null) {
            for (StopMatcher stop : stops) {
                held = Math.max(held, stop.heldChars());
            }
        }
        return held;
    }

    private String release(int held) {
        int end = text.length() - held;
        String piece = text.substring(released, end);
        released = end;
        // Moving the rest only when it is the smaller part keeps the whole linear, whatever is held back.
        if (held <= released) {
            text.delete(0, released);
            released = 0;
        }
        return piece;
    }
}
