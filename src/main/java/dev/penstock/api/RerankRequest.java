package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * The body of {@code POST /v1/rerank}, read and checked.
 *
 * @param documents at least one
 * @param topN most results, where not all are wanted
 * @param returnDocuments whether results bring their documents along
 */
record RerankRequest(String query, List<String> documents, OptionalInt topN, boolean returnDocuments) {
    static RerankRequest read(JsonObject body) {
        String query = body.requiredText("query");
        if (query.isEmpty()) {
            throw ApiException.badField("query", "'query' must not be an empty string.");
        }
        List<JsonNode> elements = body.array("documents");
        if (elements == null) {
            throw body.missing("documents");
        }
        if (elements.isEmpty() || elements.size() > EmbeddingsRequest.MAX_INPUTS) {
            throw ApiException.badField(
                    "documents",
                    "'documents' must have 1 to " + EmbeddingsRequest.MAX_INPUTS + " elements, not " + elements.size()
                            + ".");
        }
        List<String> documents = new ArrayList<>(elements.size());
        for (int i = 0; i < elements.size(); i++) {
            documents.add(document(elements.get(i), "documents[" + i + "]"));
        }
        return new RerankRequest(
                query, documents, body.integer("top_n", 1, Integer.MAX_VALUE), body.flag("return_documents", false));
    }

    private static String document(JsonNode element, String path) {
        String text = element.isObject()
                ? JsonObject.object(element, path).requiredText("text")
                : element.isTextual() ? JsonObject.text(element, path) : null;
        if (text == null) {
            throw JsonObject.wrongType(path, "a string or an object with 'text'", element);
        }
        if (text.isEmpty()) {
            throw ApiException.badField(path, "'" + path + "' must not be an empty string.");
        }
        return text;
    }
}
