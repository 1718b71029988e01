package dev.penstock.api;

import dev.penstock.prompt.EncoderInput;
import dev.penstock.prompt.PairTokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.OptionalInt;

/** A token a byte, and two that are special. */
public final class ByteTokenizer implements PairTokenizer {
    public static final int BEGIN = 256;
    public static final int END = 257;

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int begin = addSpecialTokens ? 1 : 0;
        int[] tokens = new int[begin + bytes.length];
        if (addSpecialTokens) {
            tokens[0] = BEGIN;
        }
        for (int i = 0; i < bytes.length; i++) {
            tokens[begin + i] = bytes[i] & 0xFF;
        }
        return tokens;
    }

    @Override
    public EncoderInput encodePair(String first, String second, int maxTokens) {
        int[] head = encode(first + ">", true);
        int[] tail = encode(second, false);
        int room = Math.min(tail.length, maxTokens - head.length);
        if (room < 1) {
            throw new IllegalArgumentException("no room");
        }
        int[] both = Arrays.copyOf(head, head.length + room);
        System.arraycopy(tail, 0, both, head.length, room);
        return new EncoderInput(both);
    }

    @Override
    public String decode(int[] tokens, boolean skipSpecialTokens) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int token : tokens) {
            if (token < BEGIN || !skipSpecialTokens) {
                bytes.writeBytes(bytes(token));
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Override
    public byte[] bytes(int token) {
        return switch (token) {
            case BEGIN -> "<s>".getBytes(StandardCharsets.UTF_8);
            case END -> "</s>".getBytes(StandardCharsets.UTF_8);
            default -> new byte[] {(byte) token};
        };
    }

    @Override
    public boolean isSpecial(int token) {
        return token >= BEGIN;
    }

    @Override
    public OptionalInt id(String token) {
        return switch (token) {
            case "<s>" -> OptionalInt.of(BEGIN);
            case "</s>" -> OptionalInt.of(END);
            default -> OptionalInt.empty();
        };
    }

    @Override
    public int vocabSize() {
        return END + 1;
    }
}
