package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/**
 * OpenAI's own description of its API, where that document is there, and {@code own-contract.json}: what the replies are that it
 * has no schema for, Anthropic's by their documentation.
 */
final class Contract {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path DOCUMENT =
            Path.of(System.getProperty("penstock.shared", "../shared"), "openai-openapi.json");

    private static final Map<String, Schema> VALIDATORS = new ConcurrentHashMap<>();

    private Contract() {}

    private static final class Schemas {
        private static final JsonNode ALL = read();

        private static JsonNode read() {
            ObjectNode all = JSON.createObjectNode();
            try (InputStream own = Objects.requireNonNull(Contract.class.getResourceAsStream("own-contract.json"))) {
                if (isThere()) {
                    all.setAll((ObjectNode) withNullAsType(
                            JSON.readTree(DOCUMENT.toFile()).get("components").get("schemas")));
                }
                return all.setAll((ObjectNode) JSON.readTree(own));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Whether the document is there. */
    static boolean isThere() {
        return Files.exists(DOCUMENT);
    }

    /** Whether there is a schema of that name. */
    static boolean knows(String schema) {
        return Schemas.ALL.has(schema);
    }

    /** What of this JSON is not as the schema of that name says. */
    static List<Error> problems(String schema, String json) {
        return VALIDATORS.computeIfAbsent(schema, Contract::validator).validate(json, InputFormat.JSON);
    }

    private static Schema validator(String schema) {
        ObjectNode document = JSON.createObjectNode();
        document.put("$ref", "#/components/schemas/" + schema);
        document.putObject("components").set("schemas", Schemas.ALL);
        return SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(document);
    }

    /** Fails where JSON is not as the schema of that name says. */
    static void check(String schema, String json) {
        List<Error> problems = problems(schema, json);
        if (!problems.isEmpty()) {
            throw new AssertionError(problems + " in " + json);
        }
    }

    /** The document writes {@code nullable} as OpenAPI 3.0 does, which JSON Schema does not know. */
    private static JsonNode withNullAsType(JsonNode node) {
        if (node instanceof ArrayNode array) {
            ArrayNode copy = JSON.createArrayNode();
            array.forEach(element -> copy.add(withNullAsType(element)));
            return copy;
        }
        if (!(node instanceof ObjectNode object)) {
            return node;
        }
        ObjectNode copy = JSON.createObjectNode();
        object.properties().forEach(e -> copy.set(e.getKey(), withNullAsType(e.getValue())));
        if (!copy.path("nullable").asBoolean(false)) {
            return copy;
        }
        copy.remove("nullable");
        ObjectNode either = JSON.createObjectNode();
        either.putArray("anyOf").add(copy).addObject().put("type", "null");
        return either;
    }
}
