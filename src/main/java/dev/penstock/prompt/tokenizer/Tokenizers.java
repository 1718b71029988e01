package dev.penstock.prompt.tokenizer;

import java.io.IOException;
import java.nio.file.Path;

/** Loads a model's tokenizer, whatever file it comes in. */
public final class Tokenizers {
    private Tokenizers() {}

    /**
     * Loads {@code tokenizer.json} or, converted, a SentencePiece {@code tokenizer.model}: files of other names are taken
     * by their ending. The caller closes it.
     *
     * @throws IOException it can't be read or is no tokenizer that can be used; the message names the file and the cause
     */
    public static HfTokenizer load(Path file) throws IOException {
        Path name = file.getFileName();
        return name != null && name.toString().endsWith(".model")
                ? HfTokenizer.of(SentencePieceConverter.toTokenizerJson(file))
                : HfTokenizer.load(file);
    }
}
