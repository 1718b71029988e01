package dev.penstock.api;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * How JSON is read and written on the wire. Reading is bounded in depth and refuses what two readers might understand
 * differently: a key that stands twice, and anything after the object.
 */
final class WireJson {
    /** Deeper than any request of the API, shallow enough for every stack. */
    private static final int MAX_DEPTH = 128;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
            .build()
            .setRootValueSeparator(null);

    private static final ObjectMapper MAPPER = JsonMapper.builder(FACTORY)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private WireJson() {}

    /** Something that is written to a generator. */
    @FunctionalInterface
    interface Part {
        void write(JsonGenerator json) throws IOException;
    }

    /** The error for a body above the limit. */
    static ApiException tooLarge(long maxBytes) {
        return ApiException.ofStatus(
                413, "request_too_large", "The request's body is larger than " + maxBytes + " bytes.");
    }

    /** Takes in a request's body. Throws {@link ApiException} 413 if it is too large. */
    static byte[] readBody(InputStream in, long maxBytes) throws IOException {
        byte[] body = in.readNBytes((int) Math.min(maxBytes + 1, Integer.MAX_VALUE - 8));
        if (body.length > maxBytes) {
            throw tooLarge(maxBytes);
        }
        return body;
    }

    /** Reads a body. Throws {@link ApiException} 400 if it is not one JSON object. */
    static JsonObject readObject(byte[] body) {
        try {
            JsonNode node = MAPPER.readTree(body);
            if (node instanceof ObjectNode object) {
                return new JsonObject(object, "");
            }
            throw ApiException.badBody("The body must be a JSON object.");
        } catch (JsonProcessingException e) {
            throw ApiException.badBody("The body is not valid JSON: " + e.getOriginalMessage() + at(e.getLocation()));
        } catch (IOException e) {
            // Bytes that are no UTF-8.
            throw ApiException.badBody("The body is not valid JSON in UTF-8: " + e.getMessage());
        }
    }

    /** Reads JSON that stands in a string. Throws {@link ApiException} 400 if it is not one value. */
    static JsonNode readValue(String json) {
        try {
            return MAPPER.readTree(json);
        } catch (JsonProcessingException e) {
            throw ApiException.badBody("A text is not valid JSON: " + e.getOriginalMessage() + at(e.getLocation()));
        }
    }

    /** Reads an object that a model wrote; null if it is none. */
    static @Nullable ObjectNode objectOrNull(String json) {
        try {
            return MAPPER.readTree(json) instanceof ObjectNode object ? object : null;
        } catch (JsonProcessingException e) {
            return null;
        }
    }

    /** Reads JSON that was written here. */
    static JsonNode read(byte[] json) {
        try {
            return MAPPER.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String at(JsonLocation location) {
        return location == null ? "." : " (line " + location.getLineNr() + ", column " + location.getColumnNr() + ").";
    }

    /** A generator that writes several values one after the other, with nothing between them. */
    static JsonGenerator generator(OutputStream out) throws IOException {
        return FACTORY.createGenerator(out);
    }

    /** One document in memory. */
    static byte[] bytes(Part part) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(512);
        try (JsonGenerator json = FACTORY.createGenerator(out)) {
            part.write(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** The document of an error. */
    static byte[] error(ApiException error) {
        return bytes(json -> writeError(json, error));
    }

    /** Writes {@code {"error": {…}}} with its four keys. */
    static void writeError(JsonGenerator json, ApiException error) throws IOException {
        json.writeStartObject();
        json.writeObjectFieldStart("error");
        json.writeStringField("message", error.getMessage());
        json.writeStringField("type", error.type());
        json.writeStringField("param", error.param());
        json.writeStringField("code", error.code());
        json.writeEndObject();
        json.writeEndObject();
    }
}
