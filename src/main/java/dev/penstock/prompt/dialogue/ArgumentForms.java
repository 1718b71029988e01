package dev.penstock.prompt.dialogue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.penstock.prompt.constraint.ConstraintException;
import dev.penstock.prompt.constraint.OutputForm;
import dev.penstock.prompt.constraint.OutputForm.Json;
import dev.penstock.prompt.constraint.OutputForm.Regex;
import dev.penstock.prompt.constraint.OutputForm.Repeat;
import dev.penstock.prompt.constraint.OutputForm.Sequence;
import dev.penstock.prompt.constraint.OutputForm.TextWithout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BinaryOperator;

/**
 * The forms of arguments that are written one by one instead of as one object: those that are required, and the others
 * where they are given, in the order of the schema. Arguments that a schema allows beyond its properties are not written, unless it
 * has none.
 */
final class ArgumentForms {
    /** Keywords that such arguments keep, or that say nothing about values. */
    private static final Set<String> KEPT = Set.of(
            "type",
            "properties",
            "required",
            "additionalProperties",
            "$defs",
            "definitions",
            "$schema",
            "$id",
            "title",
            "description",
            "default",
            "examples");

    /** Keywords of a string that stands there bare. */
    private static final Set<String> BARE =
            Set.of("type", "title", "description", "default", "examples", "enum", "const");

    private ArgumentForms() {}

    /** Keyword arguments with commas between them. */
    static OutputForm python(Tool tool) {
        if (tool.takesAnything()) {
            OutputForm any = CallForms.sequence(
                    new Regex("[A-Za-z_][A-Za-z0-9_]{0,199}"), CallForms.literal("="), new Json(BooleanNode.TRUE));
            OutputForm more = new Repeat(CallForms.sequence(CallForms.literal(", "), any), 0, Integer.MAX_VALUE);
            return CallForms.optional(CallForms.sequence(any, more));
        }
        List<OutputForm> required = new ArrayList<>();
        List<OutputForm> others = new ArrayList<>();
        for (Map.Entry<String, JsonNode> property : properties(tool)) {
            String key = property.getKey();
            if (!key.chars().allMatch(Character::isJavaIdentifierPart)) {
                throw new ConstraintException("#/properties/" + key + " of '" + tool.name()
                        + "': the model writes arguments as Python does, where this can't be a name.");
            }
            OutputForm form = CallForms.sequence(CallForms.literal(key + "="), new Json(value(tool, property)));
            (isRequired(tool, key) ? required : others).add(form);
        }
        // From the last on: each of the others may be left out, and so may the comma before it.
        OutputForm comma = CallForms.literal(", ");
        List<OutputForm> firsts = new ArrayList<>();
        OutputForm behind = new Sequence(List.of());
        for (OutputForm form : others.reversed()) {
            firsts.addFirst(CallForms.sequence(form, behind));
            behind = CallForms.sequence(CallForms.optional(CallForms.sequence(comma, form)), behind);
        }
        if (required.isEmpty()) {
            return firsts.isEmpty() ? behind : CallForms.optional(CallForms.choice(firsts));
        }
        List<OutputForm> parts = new ArrayList<>();
        for (OutputForm form : required) {
            if (!parts.isEmpty()) {
                parts.add(comma);
            }
            parts.add(form);
        }
        parts.add(behind);
        return new Sequence(parts);
    }

    /**
     * Arguments in tags.
     *
     * @param argument makes an argument's form of those of its name and of its value
     * @param end what ends a value
     */
    static OutputForm tagged(Tool tool, BinaryOperator<OutputForm> argument, String end) {
        if (tool.takesAnything()) {
            OutputForm any = argument.apply(new Regex("[^\\s<>]{1,200}"), new TextWithout(end));
            return new Repeat(any, 0, Integer.MAX_VALUE);
        }
        List<OutputForm> parts = new ArrayList<>();
        for (Map.Entry<String, JsonNode> property : properties(tool)) {
            String key = property.getKey();
            if (key.isBlank() || key.length() > 200 || key.chars().anyMatch(c -> c < ' ' || c == '<' || c == '>')) {
                throw new ConstraintException("#/properties/" + key + " of '" + tool.name()
                        + "': the model writes names of arguments in tags, where this can't stand.");
            }
            OutputForm form = argument.apply(CallForms.literal(key), taggedValue(tool, property, end));
            parts.add(isRequired(tool, key) ? form : CallForms.optional(form));
        }
        return new Sequence(parts);
    }

    private static OutputForm taggedValue(Tool tool, Map.Entry<String, JsonNode> property, String end) {
        JsonNode schema = property.getValue();
        if (ArgumentValue.of(schema) == ArgumentValue.JSON) {
            return new Json(value(tool, property));
        }
        if (tool.strict()) {
            onlyHas(schema, BARE, tool, "#/properties/" + property.getKey());
        }
        if (schema.has("const")) {
            return CallForms.literal(schema.get("const").asText());
        }
        List<OutputForm> values = new ArrayList<>();
        schema.path("enum").forEach(value -> values.add(CallForms.literal(value.asText())));
        return values.isEmpty() ? new TextWithout(end) : CallForms.choice(values);
    }

    private static Set<Map.Entry<String, JsonNode>> properties(Tool tool) {
        JsonNode schema = tool.parameters();
        if (tool.strict()) {
            onlyHas(schema, KEPT, tool, "#");
        }
        for (JsonNode name : schema.path("required")) {
            if (!schema.path("properties").has(name.asText())) {
                throw new ConstraintException("#/required of '" + tool.name() + "': '" + name.asText()
                        + "' is none of the properties, so that nothing is known about it.");
            }
        }
        return schema.path("properties").properties();
    }

    /** The schema of a value by itself, with the definitions it may refer to. */
    private static JsonNode value(Tool tool, Map.Entry<String, JsonNode> property) {
        if (!(property.getValue() instanceof ObjectNode schema)) {
            return property.getValue();
        }
        ObjectNode alone = schema.deepCopy();
        for (String definitions : List.of("$defs", "definitions")) {
            JsonNode shared = tool.parameters().get(definitions);
            if (shared != null) {
                alone.set(definitions, shared);
            }
        }
        for (JsonNode reference : alone.findValues("$ref")) {
            if (!reference.asText().startsWith("#/$defs/")
                    && !reference.asText().startsWith("#/definitions/")) {
                throw new ConstraintException("#/properties/" + property.getKey() + " of '" + tool.name()
                        + "': the model writes arguments one by one, and only $ref to #/$defs can be followed, not '"
                        + reference.asText() + "'.");
            }
        }
        return alone;
    }

    private static boolean isRequired(Tool tool, String key) {
        for (JsonNode name : tool.parameters().path("required")) {
            if (name.asText().equals(key)) {
                return true;
            }
        }
        return false;
    }

    private static void onlyHas(JsonNode schema, Set<String> keywords, Tool tool, String place) {
        schema.fieldNames().forEachRemaining(keyword -> {
            if (!keywords.contains(keyword)) {
                throw new ConstraintException(place + " of '" + tool.name() + "': '" + keyword
                        + "' can't be enforced in the way in which this model writes arguments.");
            }
        });
    }
}
