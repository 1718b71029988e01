package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Random;

/** Draws schemas of all that can be held. */
public final class RandomSchemas {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final List<String> NAMES = List.of("a", "b", "name", "kind", "x y", "é", "q\"uote", "id");
    private static final List<String> PATTERNS =
            List.of("^[a-z]+$", "[0-9]{2}", "^(foo|bar)-[A-F0-9]{1,4}$", "^\\w+@\\w+$", "a|b", "^x_", "\"$", "^\\S*$");
    private static final List<String> FORMATS =
            List.of("date", "time", "date-time", "duration", "uuid", "email", "ipv4", "ipv6", "hostname", "uri");

    private final Random random;
    private boolean recursive;

    /** Draws from this. */
    public RandomSchemas(Random random) {
        this.random = random;
    }

    /** The next schema, one of any size. */
    public JsonNode next() {
        recursive = chance(25);
        ObjectNode schema = value(3);
        if (recursive) {
            ObjectNode node = object(1);
            ObjectNode more = NODES.objectNode().put("type", "array");
            more.putObject("items").put("$ref", "#/$defs/node");
            node.withObject("/properties").set("children", more);
            schema.putObject("$defs").set("node", node);
        }
        return schema;
    }

    private boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    private <T> T one(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    private ObjectNode value(int depth) {
        int kind = random.nextInt(depth <= 0 ? 6 : 15);
        return switch (kind) {
            case 0 -> NODES.objectNode().put("type", chance(50) ? "null" : "boolean");
            case 1 -> number("integer");
            case 2 -> number("number");
            case 3, 4 -> string();
            case 5 -> listed();
            case 6, 7, 8 -> object(depth);
            case 9, 10 -> array(depth);
            case 11 -> combined("anyOf", depth);
            case 12 -> oneOf(depth);
            case 13 -> allOf(depth);
            default ->
                recursive ? NODES.objectNode().put("$ref", "#/$defs/node") : chance(30) ? NODES.objectNode() : types();
        };
    }

    private ObjectNode types() {
        ObjectNode schema = NODES.objectNode();
        schema.putArray("type").add("null").add(one(List.of("string", "integer", "boolean", "array", "object")));
        return schema;
    }

    private ObjectNode number(String type) {
        ObjectNode schema = NODES.objectNode().put("type", type);
        double low = chance(50) ? random.nextInt(-1000, 1000) : Math.round(random.nextGaussian() * 1e4) / 1e3;
        if (chance(50)) {
            schema.put(chance(70) ? "minimum" : "exclusiveMinimum", low);
        }
        if (chance(50)) {
            schema.put(chance(70) ? "maximum" : "exclusiveMaximum", low + 1 + random.nextInt(5000));
        }
        if (chance(20)) {
            schema.put(
                    "multipleOf",
                    type.equals("integer") ? one(List.of(2, 3, 7, 10)) : one(List.of(0.5, 0.01, 0.25, 3.0)));
        }
        return schema;
    }

    private ObjectNode string() {
        ObjectNode schema = NODES.objectNode().put("type", "string");
        if (chance(30)) {
            return schema.put("format", one(FORMATS));
        }
        if (chance(40)) {
            schema.put("pattern", one(PATTERNS));
        }
        if (chance(30)) {
            schema.put("minLength", random.nextInt(10));
        }
        if (chance(30)) {
            schema.put("maxLength", 10 + random.nextInt(40));
        }
        if (chance(10)) {
            schema.putObject("not").putArray("enum").add("abc").add("foo-1");
        }
        return schema;
    }

    private ObjectNode listed() {
        ObjectNode schema = NODES.objectNode();
        if (chance(40)) {
            return schema.set("const", NODES.textNode(one(NAMES)));
        }
        schema.putArray("enum")
                .add(one(NAMES))
                .add(random.nextInt(10))
                .add(2.5)
                .addNull()
                .add(true)
                .addObject()
                .put("a", 1);
        return chance(30) ? schema.put("minimum", 3).put("maxLength", 3) : schema;
    }

    private ObjectNode object(int depth) {
        ObjectNode schema = NODES.objectNode().put("type", "object");
        ObjectNode properties = schema.putObject("properties");
        ArrayNode required = NODES.arrayNode();
        for (String name : NAMES) {
            if (chance(35)) {
                properties.set(name, value(depth - 1));
                if (chance(60)) {
                    required.add(name);
                }
            }
        }
        if (!required.isEmpty()) {
            schema.set("required", required);
        }
        switch (random.nextInt(5)) {
            case 0, 1 -> schema.put("additionalProperties", false);
            case 2 -> schema.set("additionalProperties", value(0));
            case 3 -> schema.putObject("patternProperties").set("^x_", value(0));
            default -> {}
        }
        if (chance(15)) {
            schema.putObject("propertyNames").put("maxLength", 12);
        }
        if (chance(15)) {
            schema.put("minProperties", 1);
        }
        if (chance(15)) {
            schema.put("maxProperties", required.size() + 1 + random.nextInt(3));
        }
        if (chance(10)) {
            schema.putObject("dependentRequired").putArray("a").add("b");
        }
        if (chance(10)) {
            schema.putObject("if").putObject("properties").putObject("kind").put("const", "x");
            schema.putObject("then").putArray("required").add("id");
        }
        return schema;
    }

    private ObjectNode array(int depth) {
        ObjectNode schema = NODES.objectNode().put("type", "array");
        if (chance(15)) {
            schema.putObject("items").putArray("enum").add("a").add("b").add(1).add(false);
            return schema.put("uniqueItems", true).put("minItems", random.nextInt(3));
        }
        if (chance(30)) {
            schema.putArray("prefixItems").add(value(0)).add(value(depth - 1));
        } else if (chance(15)) {
            schema.set("contains", listed());
        }
        if (chance(80)) {
            schema.set("items", value(depth - 1));
        } else if (chance(50)) {
            schema.put("items", false);
        }
        int min = random.nextInt(3);
        if (chance(30)) {
            schema.put("minItems", min);
        }
        return chance(30) ? schema.put("maxItems", min + random.nextInt(4)) : schema;
    }

    private ObjectNode combined(String keyword, int depth) {
        ObjectNode schema = NODES.objectNode();
        schema.putArray(keyword).add(value(depth - 1)).add(value(depth - 1)).add(value(0));
        return schema;
    }

    private ObjectNode oneOf(int depth) {
        ObjectNode schema = NODES.objectNode();
        ArrayNode branches = schema.putArray("oneOf");
        for (String kind : List.of("one", "two", "three")) {
            ObjectNode branch = object(depth - 1);
            branch.withObject("/properties").putObject("kind").put("const", kind);
            branch.withArray("/required").add("kind");
            branches.add(branch);
        }
        branches.addObject().put("type", "integer").put("maximum", 5);
        branches.addObject().put("type", "number").put("minimum", 5.5);
        return schema;
    }

    private ObjectNode allOf(int depth) {
        ObjectNode schema = chance(50) ? string() : object(depth - 1);
        ObjectNode other = schema.path("type").asText().equals("string") ? string() : object(depth - 1);
        ObjectNode all = NODES.objectNode();
        all.putArray("allOf").add(schema).add(other);
        return chance(30) ? all.put("description", "both") : all;
    }
}
