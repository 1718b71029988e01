package dev.penstock.prompt.dialogue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.penstock.prompt.constraint.OutputForm;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;

/** Writes random texts that have a form. */
final class FormSampler {
    private static final String[] BITS = {
        "a",
        "ü🌧",
        " ",
        "\n",
        "<",
        ">",
        "</",
        "<tool_call",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'",
        "\\",
        "</parameter",
        "think>",
        "(",
        ",",
        ";",
        "`"
    };
    private static final int MOST_REPEATS = 3;

    private final Random random;

    FormSampler(long seed) {
        random = new Random(seed);
    }

    String text(OutputForm form) {
        return switch (form) {
            case OutputForm.Literal(String text) -> text;
            case OutputForm.Special(String token) -> token;
            case OutputForm.Json(JsonNode schema) -> json(schema);
            case OutputForm.TextWithout(String end) -> without(end);
            case OutputForm.Regex(String pattern) -> matching(Pattern.compile(pattern));
            case OutputForm.Sequence(List<OutputForm> parts) -> {
                StringBuilder text = new StringBuilder();
                parts.forEach(part -> text.append(text(part)));
                yield text.toString();
            }
            case OutputForm.Choice(List<OutputForm> options) -> text(options.get(random.nextInt(options.size())));
            case OutputForm.Repeat(OutputForm part, int min, int max) -> {
                StringBuilder text = new StringBuilder();
                for (int n = min + random.nextInt(Math.min(max, MOST_REPEATS) - min + 1); n > 0; n--) {
                    text.append(text(part));
                }
                yield text.toString();
            }
            case OutputForm.Grammar(String gbnf) -> throw new IllegalArgumentException(gbnf);
        };
    }

    /** Random bits of text, among them many that marks begin with. */
    String bits() {
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(8); n > 0; n--) {
            text.append(BITS[random.nextInt(BITS.length)]);
        }
        return text.toString();
    }

    private String without(String end) {
        while (true) {
            String text = bits();
            // Nor may it begin the end with its last chars.
            if ((text + end).indexOf(end) == text.length()) {
                return text;
            }
        }
    }

    private String matching(Pattern pattern) {
        while (true) {
            String text = bits();
            if (pattern.matcher(text).matches()) {
                return text;
            }
        }
    }

    private String json(JsonNode schema) {
        if (schema.has("enum")) {
            return schema.get("enum")
                    .get(random.nextInt(schema.get("enum").size()))
                    .toString();
        }
        JsonNode type = schema.path("type");
        return switch (type.isArray() ? type.get(random.nextInt(type.size())).asText() : type.asText()) {
            case "string" -> PythonLiteral.quoted(bits());
            case "integer" -> String.valueOf(random.nextInt(-9, 1000));
            case "boolean" -> String.valueOf(random.nextBoolean());
            case "null" -> "null";
            case "array" ->
                random.nextBoolean() ? "[]" : "[" + json(schema.get("items")) + " , " + json(schema.get("items")) + "]";
            case "object" -> {
                List<String> members = new ArrayList<>();
                if (!schema.has("properties") && random.nextBoolean()) {
                    members.add("\"any\": " + json(JsonNodeFactory.instance.objectNode()));
                }
                schema.path("properties").properties().forEach(property -> {
                    boolean required = schema.path("required").toString().contains("\"" + property.getKey() + "\"");
                    if (required || random.nextBoolean()) {
                        members.add(" \"" + property.getKey() + "\": " + json(property.getValue()));
                    }
                });
                yield "{" + String.join(",", members) + "\n}";
            }
            // Anything.
            case "" ->
                List.of("null", "-7.5", "{\"a\": [true]}", PythonLiteral.quoted(bits()))
                        .get(random.nextInt(4));
            default -> throw new IllegalArgumentException(schema.toString());
        };
    }
}
