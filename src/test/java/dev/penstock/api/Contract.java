package dev.penstock.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** OpenAI's own description of its API, where that document is there. */
final class Contract {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path DOCUMENT =
            Path.of(System.getProperty("penstock.shared", "../shared"), "openai-openapi.json");

    private static ObjectNode schemas = JSON.createObjectNode();

    private Contract() {}

    /** Reads it before the tests of a class, which are skipped where it is not there. */
    static void read() throws IOException {
        assumeTrue(Files.exists(DOCUMENT), DOCUMENT + " is not there");
        schemas = (ObjectNode) withNullAsType(
                JSON.readTree(DOCUMENT.toFile()).get("components").get("schemas"));
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

    /** Fails unless a document follows a schema. */
    static void check(String schema, String json) {
        ObjectNode document = JSON.createObjectNode();
        document.put("$ref", "#/components/schemas/" + schema);
        document.putObject("components").set("schemas", schemas);
        Schema validator = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(document);
        assertThat(validator.validate(json, InputFormat.JSON)).as(json).isEmpty();
    }
}
