package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.restassured.filter.Filter;
import io.restassured.filter.FilterContext;
import io.restassured.response.Response;
import io.restassured.specification.FilterableRequestSpecification;
import io.restassured.specification.FilterableResponseSpecification;
import java.net.URI;
import java.util.Map;

/** Holds every reply, every chunk and every error that a test gets over HTTP against OpenAI's description of its API. */
final class ContractFilter implements Filter {
    /** By path: the schema of a reply, and that of a stream's event. */
    private static final Map<String, Schemas> SCHEMAS = Map.of(
            "/v1/chat/completions", new Schemas("CreateChatCompletionResponse", "CreateChatCompletionStreamResponse"),
            "/v1/completions", new Schemas("CreateCompletionResponse", "CreateCompletionResponse"),
            "/v1/embeddings", new Schemas("CreateEmbeddingResponse", ""),
            "/v1/responses", new Schemas("Response", "ResponseStreamEvent"),
            "/v1/models", new Schemas("ListModelsResponse", ""));

    private record Schemas(String reply, String event) {}

    @Override
    public Response filter(
            FilterableRequestSpecification request, FilterableResponseSpecification expected, FilterContext context) {
        Response response = context.next(request, expected);
        String path = URI.create(request.getURI()).getPath();
        String type = response.contentType() == null ? "" : response.contentType();
        Schemas schemas = SCHEMAS.get(path);
        if (schemas == null || !Contract.isThere()) {
            return response;
        }
        if (type.startsWith("application/json")) {
            Contract.check(
                    response.statusCode() == 200 ? schemas.reply : "ErrorResponse",
                    tolerated(Sse.parse(response.asString())).toString());
        } else if (type.startsWith("text/event-stream")) {
            events(schemas.event, response.asString());
        }
        return response;
    }

    private static void events(String schema, String body) {
        for (String event : body.split("\n\n", -1)) {
            for (String line : event.split("\n", -1)) {
                if (line.startsWith("data: {")) {
                    JsonNode data = Sse.parse(line.substring("data: ".length()));
                    Contract.check(
                            data.has("error") && !data.has("type") ? "ErrorResponse" : schema,
                            tolerated(data).toString());
                }
            }
        }
    }

    /**
     * The document does not know of vectors in Base64. It has one schema for whole replies and chunks of completions, and none for the null that stands for the log
     * probability of a prompt's first token: there the API itself is not as it is described.
     */
    private static JsonNode tolerated(JsonNode reply) {
        for (JsonNode item : reply.path("data")) {
            if (item.path("embedding").isTextual()) {
                ((ObjectNode) item).putArray("embedding");
            }
        }
        if (!(reply instanceof ObjectNode object)
                || !object.path("object").asText().equals("text_completion")) {
            return reply;
        }
        if (object.path("usage").isNull()) {
            object.remove("usage");
        }
        for (JsonNode choice : object.path("choices")) {
            if (choice.path("finish_reason").isNull()) {
                ((ObjectNode) choice).put("finish_reason", "stop");
            }
            for (String array : new String[] {"token_logprobs", "top_logprobs"}) {
                if (choice.path("logprobs").path(array) instanceof ArrayNode values
                        && !values.isEmpty()
                        && values.get(0).isNull()) {
                    values.remove(0);
                }
            }
        }
        return object;
    }
}
