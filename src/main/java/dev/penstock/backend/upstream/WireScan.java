package dev.penstock.backend.upstream;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import dev.penstock.model.Usage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One JSON object of the API, a request, a chunk, or a reply, read in one pass without a tree: where what has to be changed
 * stands, and what has to be known of it.
 */
final class WireScan {
    private static final int MAX_DEPTH = 128;
    /** No reply has more tokens: what is above is no count. */
    private static final int MAX_TOKENS = 1 << 30;

    private static final int MAX_MESSAGE_CHARS = 2000;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
            .build();

    private final byte[] json;
    private int modelBegin = -1;
    private int modelEnd;
    private int innerModelBegin = -1;
    private int innerModelEnd;
    private int optionsBegin = -1;
    private int optionsEnd;
    private int providerBegin = -1;
    private int providerEnd;
    private final Set<String> arrays = new HashSet<>();
    private boolean hasChoices;
    private boolean carriesOutput;
    private boolean finishes;
    private int choices;
    private @Nullable String type;
    private @Nullable String object;
    private @Nullable Usage usage;
    private @Nullable Error error;

    /**
     * The object that is called {@code error}.
     *
     * @param message for people, cut where it is long
     * @param param the field at fault
     * @param code a word for programs
     */
    record Error(
            @Nullable String message,
            @Nullable String param,
            @Nullable String code) {}

    private WireScan(byte[] json) {
        this.json = json;
    }

    /** Reads it. Throws IOException where it is not one JSON object in UTF-8, or not of the API's types. */
    static WireScan of(byte[] json) throws IOException {
        WireScan scan = new WireScan(json);
        try (JsonParser parser = FACTORY.createParser(json)) {
            scan.read(parser);
        }
        return scan;
    }

    private void read(JsonParser p) throws IOException {
        expect(
                p.nextToken() == JsonToken.START_OBJECT
                        && p.currentTokenLocation().getByteOffset() >= 0,
                "an object in UTF-8");
        while (p.nextToken() == JsonToken.FIELD_NAME) {
            String name = p.currentName();
            int nameBegin = (int) p.currentTokenLocation().getByteOffset();
            JsonToken value = p.nextToken();
            switch (name) {
                case "model" -> {
                    modelBegin = (int) p.currentTokenLocation().getByteOffset();
                    modelEnd = skip(p);
                }
                case "stream_options" -> {
                    optionsBegin = (int) p.currentTokenLocation().getByteOffset();
                    optionsEnd = skip(p);
                }
                case "provider" -> {
                    providerBegin = nameBegin;
                    providerEnd = skip(p);
                }
                case "type" -> type = text(p, value);
                case "object" -> object = text(p, value);
                case "choices" -> readChoices(p, value);
                case "usage" -> readUsage(p, value);
                case "response", "message" -> readInner(p, value);
                case "error" -> readError(p, value);
                case "data", "results" -> {
                    if (value == JsonToken.START_ARRAY) {
                        arrays.add(name);
                    }
                    p.skipChildren();
                }
                default -> p.skipChildren();
            }
        }
        expect(p.currentToken() == JsonToken.END_OBJECT && p.nextToken() == null, "one object");
    }

    /** Where the value ends. */
    private static int skip(JsonParser p) throws IOException {
        p.skipChildren();
        p.finishToken();
        return (int) p.currentLocation().getByteOffset();
    }

    private static @Nullable String text(JsonParser p, JsonToken value) throws IOException {
        p.skipChildren();
        return value == JsonToken.VALUE_STRING ? p.getText() : null;
    }

    /** The reply as far as it has come, in an event of it. */
    private void readInner(JsonParser p, JsonToken value) throws IOException {
        if (value != JsonToken.START_OBJECT) {
            p.skipChildren();
            return;
        }
        while (p.nextToken() == JsonToken.FIELD_NAME) {
            String name = p.currentName();
            JsonToken inner = p.nextToken();
            switch (name) {
                case "model" -> {
                    innerModelBegin = (int) p.currentTokenLocation().getByteOffset();
                    innerModelEnd = skip(p);
                }
                case "usage" -> readUsage(p, inner);
                default -> p.skipChildren();
            }
        }
    }

    private void readChoices(JsonParser p, JsonToken value) throws IOException {
        expect(value == JsonToken.START_ARRAY, "'choices' as an array");
        hasChoices = true;
        arrays.add("choices");
        int depth = 1;
        while (depth > 0) {
            JsonToken token = p.nextToken();
            if (token == null) {
                throw new IOException("It ends within 'choices'.");
            }
            if (token.isStructStart()) {
                choices += depth == 1 ? 1 : 0;
                depth++;
            } else if (token.isStructEnd()) {
                depth--;
            } else if (token == JsonToken.VALUE_STRING && p.getTextLength() > 0) {
                String name = p.currentName();
                carriesOutput |= !"role".equals(name);
                finishes |= "finish_reason".equals(name);
            }
        }
    }

    private void readUsage(JsonParser p, JsonToken value) throws IOException {
        if (value != JsonToken.START_OBJECT) {
            p.skipChildren();
            return;
        }
        int prompt = 0;
        int cached = 0;
        int beside = 0;
        int completion = 0;
        int total = 0;
        while (p.nextToken() == JsonToken.FIELD_NAME) {
            String name = p.currentName();
            JsonToken token = p.nextToken();
            boolean number = token == JsonToken.VALUE_NUMBER_INT;
            switch (name) {
                case "prompt_tokens", "input_tokens" -> prompt = number ? tokens(p) : prompt;
                case "completion_tokens", "output_tokens" -> completion = number ? tokens(p) : completion;
                case "total_tokens" -> total = number ? tokens(p) : total;
                // Anthropic counts these beside the others, not among them.
                case "cache_read_input_tokens" -> {
                    cached = number ? tokens(p) : cached;
                    beside += number ? tokens(p) : 0;
                }
                case "cache_creation_input_tokens" -> beside += number ? tokens(p) : 0;
                case "prompt_tokens_details", "input_tokens_details" -> cached = readCached(p, token, cached);
                default -> {}
            }
            p.skipChildren();
        }
        if (prompt == 0) {
            // Rerankers tell their total alone.
            prompt = Math.max(0, total - completion);
        }
        prompt = Math.min(MAX_TOKENS, prompt + beside);
        usage = new Usage(prompt, Math.min(cached, prompt), completion);
    }

    private static int readCached(JsonParser p, JsonToken value, int otherwise) throws IOException {
        int cached = otherwise;
        if (value == JsonToken.START_OBJECT) {
            while (p.nextToken() == JsonToken.FIELD_NAME) {
                String detail = p.currentName();
                if (p.nextToken() == JsonToken.VALUE_NUMBER_INT && detail.equals("cached_tokens")) {
                    cached = tokens(p);
                } else {
                    p.skipChildren();
                }
            }
        }
        return cached;
    }

    private static int tokens(JsonParser p) throws IOException {
        expect(p.getNumberType() == JsonParser.NumberType.INT, "'usage' with numbers of tokens");
        return Math.clamp(p.getIntValue(), 0, MAX_TOKENS);
    }

    private void readError(JsonParser p, JsonToken value) throws IOException {
        if (value == JsonToken.VALUE_NULL) {
            return;
        }
        @Nullable String message = value == JsonToken.VALUE_STRING ? cut(p.getText()) : null;
        @Nullable String param = null;
        @Nullable String code = null;
        if (value == JsonToken.START_OBJECT) {
            while (p.nextToken() == JsonToken.FIELD_NAME) {
                String name = p.currentName();
                if (p.nextToken() != JsonToken.VALUE_STRING) {
                    p.skipChildren();
                    continue;
                }
                switch (name) {
                    case "message" -> message = cut(p.getText());
                    case "param" -> param = cut(p.getText());
                    case "code" -> code = cut(p.getText());
                    default -> {}
                }
            }
        } else {
            p.skipChildren();
        }
        error = new Error(message, param, code);
    }

    private static String cut(String text) {
        return text.length() <= MAX_MESSAGE_CHARS ? text : text.substring(0, MAX_MESSAGE_CHARS) + "…";
    }

    private static void expect(boolean holds, String what) throws IOException {
        if (!holds) {
            throw new IOException("It is not " + what + ".");
        }
    }

    /** What it says of its own kind, as events and Anthropic's objects do. */
    @Nullable
    String type() {
        return type;
    }

    /** What OpenAI's objects say of their kind. */
    @Nullable
    String object() {
        return object;
    }

    /** Whether it has choices, as chunks and replies have. */
    boolean hasChoices() {
        return hasChoices;
    }

    /** Whether it has an array of this name, of those that replies without choices have. */
    boolean hasArray(String name) {
        return arrays.contains(name);
    }

    /** Whether it only counts tokens: the chunk after the last choice's last. */
    boolean countsOnly() {
        return hasChoices && choices == 0 && usage != null;
    }

    /** Whether a choice brings more than a role. */
    boolean carriesOutput() {
        return carriesOutput;
    }

    /** Whether a choice ends with it. */
    boolean finishes() {
        return finishes;
    }

    /** The tokens it counts. */
    @Nullable
    Usage usage() {
        return usage;
    }

    /** The error it tells. */
    @Nullable
    Error error() {
        return error;
    }

    /** Whether it says which backend it wants, which is for us alone: servers refuse fields that they don't know. */
    boolean hasProvider() {
        return providerBegin >= 0;
    }

    /** The object without {@code provider}, which it has. */
    byte[] withoutProvider() {
        int begin = providerBegin;
        int end = past(providerEnd, 1);
        if (json[end] == ',') {
            end++;
        } else if (json[past(begin - 1, -1)] == ',') {
            begin = past(begin - 1, -1);
        }
        return replaced(begin, end, new byte[0]);
    }

    /** The first place from here on in this direction that is no white space. */
    private int past(int from, int step) {
        int at = from;
        while (json[at] == ' ' || json[at] == '\n' || json[at] == '\r' || json[at] == '\t') {
            at += step;
        }
        return at;
    }

    /** The object with this model, itself a JSON string, in place of its own or that of the reply in it. */
    byte[] withModel(byte[] model) {
        if (modelBegin >= 0) {
            return replaced(modelBegin, modelEnd, model);
        }
        return innerModelBegin < 0 ? json : replaced(innerModelBegin, innerModelEnd, model);
    }

    /** The request with this model in place of its own, and with usage at the end of the stream. */
    byte[] withModelAndUsage(byte[] model) {
        byte[] options = "{\"include_usage\":true}".getBytes(StandardCharsets.UTF_8);
        if (optionsBegin < 0) {
            // Behind the model's name, which every request has.
            byte[] added = (",\"stream_options\":" + new String(options, StandardCharsets.UTF_8))
                    .getBytes(StandardCharsets.UTF_8);
            byte[] both = new byte[model.length + added.length];
            System.arraycopy(model, 0, both, 0, model.length);
            System.arraycopy(added, 0, both, model.length, added.length);
            return replaced(modelBegin, modelEnd, both);
        }
        // The later one first: places before it stay.
        return modelBegin > optionsBegin
                ? replaced(withModel(model), optionsBegin, optionsEnd, options)
                : replaced(replaced(optionsBegin, optionsEnd, options), modelBegin, modelEnd, model);
    }

    private byte[] replaced(int begin, int end, byte[] by) {
        return replaced(json, begin, end, by);
    }

    private static byte[] replaced(byte[] json, int begin, int end, byte[] by) {
        byte[] result = new byte[json.length - (end - begin) + by.length];
        System.arraycopy(json, 0, result, 0, begin);
        System.arraycopy(by, 0, result, begin, by.length);
        System.arraycopy(json, end, result, begin + by.length, json.length - end);
        return result;
    }
}
