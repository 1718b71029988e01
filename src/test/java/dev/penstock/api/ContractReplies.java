package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.regex.Pattern;

/** Tells what of the {@link Contract} a reply must follow by its path, and holds it against that. */
final class ContractReplies {
    private static final String NONE = "";

    private static final List<Schemas> ALL = List.of(
            new Schemas(
                    "POST /v1/chat/completions", "CreateChatCompletionResponse", "CreateChatCompletionStreamResponse"),
            new Schemas("POST /v1/chat/completions/render", "TextRendered", NONE),
            new Schemas("POST /v1/completions", "CreateCompletionResponse", "CreateCompletionResponse"),
            new Schemas("POST /v1/embeddings", "CreateEmbeddingResponse", NONE),
            new Schemas("POST /v1/rerank", "RerankReply", NONE),
            new Schemas("POST /v1/quotes", "QuoteList", NONE),
            new Schemas("POST /v1/responses", "Response", "ResponseStreamEvent"),
            new Schemas("GET /v1/responses/[^/]+", "Response", "ResponseStreamEvent"),
            new Schemas("DELETE /v1/responses/[^/]+", "ResponseDeleted", NONE),
            new Schemas("POST /v1/responses/[^/]+/cancel", "Response", NONE),
            new Schemas("GET /v1/responses/[^/]+/input_items", "ResponseItemList", NONE),
            new Schemas("GET /v1/hardware", "Hardware", NONE),
            new Schemas("GET /v1/models", "ListModelsResponse", NONE),
            new Schemas("GET /v1/models/.+", "Model", NONE),
            new Schemas("POST /v1/messages", "AnthropicMessage", "AnthropicEvent"),
            new Schemas("POST /v1/messages/count_tokens", "AnthropicCount", NONE),
            new Schemas("POST /tokenize", "TextTokens", NONE),
            new Schemas("POST /detokenize", "TokensText", NONE));

    private static final Pattern API = Pattern.compile("/v1/.*|/tokenize|/detokenize");

    private ContractReplies() {}

    private record Schemas(Pattern place, String reply, String event) {
        Schemas(String place, String reply, String event) {
            this(Pattern.compile(place), reply, event);
        }
    }

    /**
     * Fails where a reply of the API isn't as it must be, or where nothing says how it must be.
     *
     * @param body of a stream of events as many as are whole
     */
    static void check(String method, String path, int status, String type, String body) {
        if (!API.matcher(path).matches()) {
            return;
        }
        if (type.startsWith("text/event-stream")) {
            for (String line : body.split("\n", -1)) {
                checkLine(method, path, line);
            }
        } else if (type.startsWith("application/json") && !body.isEmpty()) {
            check(status == 200 ? schemas(method, path).reply : error(path), Sse.parse(body));
        }
    }

    /** Fails where this line of a stream is an event's data, and not as it must be. */
    static void checkLine(String method, String path, String line) {
        if (line.startsWith("data: {")) {
            JsonNode data = Sse.parse(line.substring("data: ".length()));
            check(data.has("error") && !data.has("type") ? error(path) : schemas(method, path).event, data);
        }
    }

    private static Schemas schemas(String method, String path) {
        return ALL.stream()
                .filter(s -> s.place.matcher(method + " " + path).matches())
                .findFirst()
                .orElseThrow(() -> new AssertionError("Nothing says what " + method + " " + path + " must answer"));
    }

    private static String error(String path) {
        return path.equals("/v1/messages") || path.startsWith("/v1/messages/") ? "AnthropicError" : "ErrorResponse";
    }

    private static void check(String schema, JsonNode reply) {
        if (Contract.isThere() || Contract.knows(schema)) {
            Contract.check(schema, tolerated(reply).toString());
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
