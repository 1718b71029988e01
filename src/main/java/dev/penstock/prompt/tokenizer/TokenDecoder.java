package dev.penstock.prompt.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * What a token's name stands for in bytes, by the {@code decoder} of a {@code tokenizer.json}. Steps that look at the
 * whole text (Fuse, Strip) have no part in it: they only take the first space off a text's beginning.
 *
 * <p>Source: the decoders of Hugging Face's tokenizers library; the ByteLevel alphabet is GPT-2's
 * {@code bytes_to_unicode}.
 */
final class TokenDecoder {
    private static final int[] BYTE_OF_CHAR = byteOfChar();

    /** One step; those before ByteLevel and ByteFallback work on the name as text. */
    private sealed interface Step {
        record Replace(String pattern, String content) implements Step {}

        record ByteFallback() implements Step {}

        record ByteLevel() implements Step {}

        /** Names that go on with a word begin with the prefix; all others begin one. */
        record WordPiece(String prefix) implements Step {}
    }

    private final List<Step> steps = new ArrayList<>();

    /**
     * Reads the decoder's description.
     *
     * @throws IOException it is of a kind whose tokens have no bytes of their own
     */
    TokenDecoder(JsonNode decoder) throws IOException {
        add(decoder);
    }

    private void add(JsonNode decoder) throws IOException {
        String type = decoder.path("type").asText("none");
        switch (type) {
            case "Sequence" -> {
                for (JsonNode part : decoder.path("decoders")) {
                    add(part);
                }
            }
            case "ByteLevel" -> steps.add(new Step.ByteLevel());
            case "ByteFallback" -> steps.add(new Step.ByteFallback());
            case "Metaspace" ->
                steps.add(new Step.Replace(decoder.path("replacement").asText("▁"), " "));
            case "WordPiece" ->
                steps.add(new Step.WordPiece(decoder.path("prefix").asText("##")));
            case "Replace" -> {
                JsonNode pattern = decoder.path("pattern").path("String");
                if (!pattern.isTextual() || pattern.asText().isEmpty()) {
                    throw new IOException("its decoder replaces by a regular expression, which is not supported");
                }
                steps.add(new Step.Replace(
                        pattern.asText(), decoder.path("content").asText()));
            }
            case "Fuse", "Strip" -> {
                // Only the beginning of a whole text is changed by these.
            }
            default ->
                throw new IOException("its decoder is of type " + type
                        + "; supported are ByteLevel, Metaspace, WordPiece, and Replace with ByteFallback");
        }
    }

    /** The bytes of a token of the model's own vocabulary. */
    byte[] bytes(String name) {
        return bytes(name, true);
    }

    /** The bytes of an added token: its characters stand for themselves where the alphabet is ByteLevel's. */
    byte[] bytesOfAdded(String name) {
        return bytes(name, false);
    }

    private byte[] bytes(String name, boolean byteLevel) {
        String text = name;
        for (Step step : steps) {
            switch (step) {
                case Step.Replace(String pattern, String content) -> text = text.replace(pattern, content);
                case Step.WordPiece(String prefix) ->
                    text = text.startsWith(prefix) ? text.substring(prefix.length()) : " " + text;
                case Step.ByteFallback() -> {
                    if (text.length() == 6
                            && text.startsWith("<0x")
                            && text.endsWith(">")
                            && HexFormat.isHexDigit(text.charAt(3))
                            && HexFormat.isHexDigit(text.charAt(4))) {
                        return new byte[] {(byte) HexFormat.fromHexDigits(text, 3, 5)};
                    }
                }
                case Step.ByteLevel() -> {
                    if (byteLevel) {
                        return byteLevel(text);
                    }
                }
            }
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** A name with any character outside of the alphabet stands for itself. */
    private static byte[] byteLevel(String name) {
        byte[] bytes = new byte[name.length()];
        for (int i = 0; i < bytes.length; i++) {
            char c = name.charAt(i);
            if (c >= BYTE_OF_CHAR.length || BYTE_OF_CHAR[c] < 0) {
                return name.getBytes(StandardCharsets.UTF_8);
            }
            bytes[i] = (byte) BYTE_OF_CHAR[c];
        }
        return bytes;
    }

    /** Printable Latin-1 stands for itself; the other 68 bytes, in order, are the characters from U+0100. */
    private static int[] byteOfChar() {
        int[] bytes = new int[0x100 + 68];
        Arrays.fill(bytes, -1);
        int next = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            bytes[printable ? b : next++] = b;
        }
        return bytes;
    }
}
