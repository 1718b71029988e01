package dev.penstock.api;

import dev.penstock.prompt.CatalogModel;
import dev.penstock.prompt.EncoderModel;
import dev.penstock.prompt.RemoteModel;
import dev.penstock.prompt.ServedModel;
import java.util.Arrays;
import java.util.OptionalInt;

/** Turns prompts into tokens that a model has, and that fit. */
final class Prompts {
    /** No tokenizer takes more characters into one token: a text above this many times the context need not be encoded. */
    private static final int MAX_CHARS_PER_TOKEN = 256;

    private Prompts() {}

    /** A model that reads conversations here; throws {@link ApiException} 400 for others. */
    static ServedModel here(CatalogModel model) {
        return switch (model) {
            case ServedModel served -> served;
            case EncoderModel encoder ->
                throw ApiException.unsupported(
                        "model", "The model '" + encoder.id() + "' is an encoder, and reads no conversations.");
            case RemoteModel remote -> throw elsewhere(remote);
        };
    }

    /** That a model's tokenizer can't be asked. */
    static ApiException elsewhere(RemoteModel model) {
        return ApiException.unsupported(
                "model", "The model '" + model.id() + "' is served elsewhere, and its tokenizer is not here.");
    }

    /**
     * The tokens of a text.
     *
     * @param param the field that it came in, for errors
     * @param most of more tokens than this the last ones are kept
     */
    static int[] encode(ServedModel model, String text, boolean addSpecialTokens, String param, OptionalInt most) {
        checkLength(model, text.length(), param);
        return checked(model, model.tokenizer().encode(text, addSpecialTokens), param, most);
    }

    /** Refuses what can't fit before time is spent on it. */
    static void checkLength(CatalogModel model, long chars, String param) {
        int contextLength = model.maxTokens().orElse(Integer.MAX_VALUE);
        if (chars > (long) contextLength * MAX_CHARS_PER_TOKEN) {
            String found = "at least " + chars / MAX_CHARS_PER_TOKEN;
            throw model instanceof EncoderModel
                    ? ApiException.inputTooLong(param, found, contextLength)
                    : ApiException.promptTooLong(param, found, contextLength);
        }
    }

    /** The tokens, if there are any, the model has all of them, and they leave room for a completion. */
    static int[] checked(ServedModel model, int[] tokens, String param, OptionalInt most) {
        int[] prompt = most.isPresent() && tokens.length > most.getAsInt()
                ? Arrays.copyOfRange(tokens, tokens.length - most.getAsInt(), tokens.length)
                : tokens;
        if (prompt.length == 0) {
            throw ApiException.badField(param, "'" + param + "' must have at least one token.");
        }
        if (prompt.length >= model.contextLength()) {
            throw ApiException.promptTooLong(param, Integer.toString(prompt.length), model.contextLength());
        }
        int vocabSize = model.tokenizer().vocabSize();
        for (int token : prompt) {
            if (token >= vocabSize) {
                throw ApiException.badField(
                        param,
                        "'" + param + "' has token " + token + ", but the model's tokens are 0 to " + (vocabSize - 1)
                                + ".");
            }
        }
        return prompt;
    }
}
