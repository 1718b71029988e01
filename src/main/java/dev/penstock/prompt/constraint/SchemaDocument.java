package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** A whole JSON Schema, within bounds, and what its references lead to. */
final class SchemaDocument {
    private static final int MAX_NODES = 50_000;
    private static final int MAX_DEPTH = 256;
    private static final long MAX_CHARS = 1 << 20;

    private final JsonNode root;
    private final Map<String, Place> anchors = new HashMap<>();

    private record Visit(JsonNode node, String pointer, int depth) {}

    /**
     * Looks at all of a schema.
     *
     * @throws ConstraintException it is too large or too deep
     */
    SchemaDocument(JsonNode root) {
        this.root = root;
        List<Visit> work = new ArrayList<>();
        work.add(new Visit(root, "#", 0));
        int nodes = 0;
        long chars = 0;
        while (!work.isEmpty()) {
            Visit visit = work.removeLast();
            JsonNode node = visit.node();
            nodes++;
            chars += node.isTextual() ? node.textValue().length() : 0;
            if (node.isObject() && node.path("$anchor").isTextual()) {
                anchors.put(node.path("$anchor").textValue(), new Place(visit.pointer(), node, false));
            }
            if (visit.depth() > MAX_DEPTH) {
                throw new ConstraintException("the schema is nested more than " + MAX_DEPTH + " deep.");
            }
            Iterator<Map.Entry<String, JsonNode>> fields = node.fields();
            while (fields.hasNext()) {
                Map.Entry<String, JsonNode> field = fields.next();
                chars += field.getKey().length();
                work.add(new Visit(
                        field.getValue(),
                        pointer(visit.pointer(), field.getKey(), field.getValue()),
                        visit.depth() + 1));
            }
            if (node.isArray()) {
                for (int i = 0; i < node.size(); i++) {
                    JsonNode item = node.get(i);
                    work.add(new Visit(item, pointer(visit.pointer(), String.valueOf(i), item), visit.depth() + 1));
                }
            }
            if (nodes + work.size() > MAX_NODES || chars > MAX_CHARS) {
                throw new ConstraintException(
                        "the schema is too large: at most " + MAX_NODES + " values and " + MAX_CHARS + " characters.");
            }
        }
    }

    private static String pointer(String parent, String name, JsonNode child) {
        // Scalars are never led to.
        return child.isContainerNode() ? Place.pointer(parent, name) : parent;
    }

    /** The whole schema. */
    Place root() {
        return new Place("#", root, false).checked();
    }

    /**
     * What the {@code $ref} of a schema leads to.
     *
     * @throws ConstraintException it leads out of the document, or to nothing
     */
    Place target(Place from) {
        JsonNode ref = from.schema().path("$ref");
        if (!ref.isTextual()) {
            throw from.refused("$ref", "it must be a string");
        }
        String text = ref.textValue();
        String id = root.path("$id").textValue();
        if (id != null && !id.isEmpty() && text.startsWith(id)) {
            text = text.substring(id.length());
        }
        if (text.isEmpty() || text.equals("#")) {
            return root();
        }
        if (text.charAt(0) != '#') {
            throw from.refused(
                    "$ref",
                    "'" + Place.shown(text) + "' leads out of the schema; only references within it are followed");
        }
        if (text.charAt(1) != '/') {
            Place anchor = anchors.get(text.substring(1));
            if (anchor == null) {
                throw from.refused("$ref", "there is no $anchor '" + Place.shown(text.substring(1)) + "'");
            }
            return anchor;
        }
        return follow(from, text);
    }

    private Place follow(Place from, String text) {
        JsonNode at = root;
        String pointer = "#";
        for (String encoded : text.substring(2).split("/", -1)) {
            String name = decoded(encoded).replace("~1", "/").replace("~0", "~");
            at = at.isArray() && name.matches("[0-9]{1,6}") ? at.path(Integer.parseInt(name)) : at.path(name);
            pointer = Place.pointer(pointer, name);
        }
        if (at.isMissingNode()) {
            throw from.refused("$ref", "'" + Place.shown(text) + "' leads to nothing");
        }
        return new Place(pointer, at, false).checked();
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return text;
        }
    }
}
