package dev.penstock.prompt.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What Penstock itself needs of a {@code tokenizer.json}: names, ids and the decoder. Read as a stream: files of 10 to
 * 30 MB are usual, most of it merges, which are skipped.
 *
 * @param vocabulary names by id
 * @param decoder names to bytes
 */
record TokenizerFile(Vocabulary vocabulary, TokenDecoder decoder) {
    /** Names of a vocabulary are all different: a table of those seen would only cost memory. */
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .build());

    private record Added(long id, String content, boolean special) {}

    /**
     * Reads the file's text.
     *
     * @throws IOException it is not JSON, or not a tokenizer that can be used; the message says why
     */
    static TokenizerFile read(String json) throws IOException {
        Vocabulary vocabulary = new Vocabulary();
        List<Added> added = new ArrayList<>();
        JsonNode decoder = MissingNode.getInstance();
        boolean model = false;
        try (JsonParser parser = JSON.createParser(json)) {
            expect(parser.nextToken(), JsonToken.START_OBJECT, "an object");
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String field = parser.currentName();
                JsonToken value = parser.nextToken();
                switch (field) {
                    case "added_tokens" -> {
                        expect(value, JsonToken.START_ARRAY, "a list in added_tokens");
                        readAdded(parser, added);
                    }
                    case "decoder" -> decoder = JSON.readTree(parser);
                    case "model" -> {
                        expect(value, JsonToken.START_OBJECT, "an object in model");
                        model = readModel(parser, vocabulary);
                    }
                    default -> parser.skipChildren();
                }
            }
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
        if (!model) {
            throw new IOException("it has no model with a vocab");
        }
        for (Added token : added) {
            try {
                vocabulary.putAdded(token.id, token.content, token.special);
            } catch (IllegalArgumentException e) {
                throw new IOException("added_tokens: " + e.getMessage(), e);
            }
        }
        return new TokenizerFile(vocabulary, new TokenDecoder(decoder));
    }

    /** True if there was a vocab. */
    private static boolean readModel(JsonParser parser, Vocabulary vocabulary) throws IOException {
        boolean found = false;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String field = parser.currentName();
            JsonToken value = parser.nextToken();
            if (!field.equals("vocab")) {
                parser.skipChildren();
            } else if (value == JsonToken.START_OBJECT) {
                // BPE, WordPiece and WordLevel: name to id.
                found = true;
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String name = parser.currentName();
                    expect(parser.nextToken(), JsonToken.VALUE_NUMBER_INT, "a number in vocab");
                    vocabulary.put(parser.getLongValue(), name);
                }
            } else {
                // Unigram: pairs of name and score, the id being the place.
                found = true;
                expect(value, JsonToken.START_ARRAY, "an object or a list in vocab");
                for (long id = 0; parser.nextToken() == JsonToken.START_ARRAY; id++) {
                    expect(parser.nextToken(), JsonToken.VALUE_STRING, "a name in vocab");
                    vocabulary.put(id, parser.getText());
                    while (parser.nextToken() != JsonToken.END_ARRAY) {
                        expect(parser.currentToken().isNumeric(), "a score in vocab");
                    }
                }
            }
        }
        return found;
    }

    private static void readAdded(JsonParser parser, List<Added> added) throws IOException {
        while (parser.nextToken() == JsonToken.START_OBJECT) {
            JsonNode token = JSON.readTree(parser);
            JsonNode id = token.path("id");
            JsonNode content = token.path("content");
            expect(id.canConvertToLong() && content.isTextual(), "an id and a content in added_tokens");
            added.add(new Added(
                    id.asLong(), content.asText(), token.path("special").asBoolean(false)));
            expect(added.size() <= Vocabulary.MAX_ID, "fewer added_tokens");
        }
    }

    private static void expect(JsonToken actual, JsonToken expected, String what) throws IOException {
        expect(actual == expected, what);
    }

    private static void expect(boolean condition, String what) throws IOException {
        if (!condition) {
            throw new IOException("expected " + what);
        }
    }
}
