package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** Finds what {@code $ref} names inside of one schema: by JSON pointer, by {@code $anchor}, or the whole. */
final class SchemaRefs {
    private final JsonNode root;
    private final Map<String, JsonNode> anchors = new HashMap<>();

    SchemaRefs(JsonNode root) {
        this.root = root;
        findAnchors(root);
    }

    private void findAnchors(JsonNode node) {
        for (String keyword : new String[] {"$anchor", "$id", "$dynamicAnchor"}) {
            if (node.path(keyword).isTextual()) {
                anchors.putIfAbsent(node.get(keyword).textValue(), node);
            }
        }
        node.forEach(this::findAnchors);
    }

    /** What a reference names; throws {@link ConstraintException} if it is not in the schema. */
    JsonNode find(String ref, String where) {
        JsonNode found = null;
        if (ref.equals("#") || ref.equals(root.path("$id").asText(" "))) {
            found = root;
        } else if (ref.startsWith("#/")) {
            try {
                found = root.at(JsonPointer.compile(URLDecoder.decode(
                        ref.substring(1).replace("+", "%2B"), StandardCharsets.UTF_8)));
            } catch (IllegalArgumentException e) {
                throw new ConstraintException("the $ref '" + ref + "' at " + where + " is no JSON pointer.");
            }
        } else {
            found = anchors.get(ref.startsWith("#") ? ref.substring(1) : ref);
        }
        if (found == null || found.isMissingNode()) {
            throw new ConstraintException("the $ref '" + ref + "' at " + where + " names nothing in the schema.");
        }
        return found;
    }
}
