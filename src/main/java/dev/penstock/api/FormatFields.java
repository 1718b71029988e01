package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.penstock.prompt.constraint.OutputForm;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * The form that a request wants its reply to have: OpenAI's {@code response_format}, or what clients of vLLM and llama.cpp send
 * instead.
 *
 * @param form what the text must be
 * @param field which field asked for it
 */
record FormatFields(OutputForm form, String field) {
    private static final int MAX_CHOICES = 1000;

    /** Fields beside {@code response_format}, with what each means. */
    private static final Map<String, BiFunction<JsonNode, String, OutputForm>> EXTENSIONS = Map.of(
            "guided_json", (value, path) -> json(value),
            "json_schema", (value, path) -> json(value),
            "guided_regex", (value, path) -> new OutputForm.Regex(JsonObject.text(value, path)),
            "guided_choice", FormatFields::choice,
            "guided_grammar", (value, path) -> new OutputForm.Grammar(JsonObject.text(value, path)),
            "grammar", (value, path) -> new OutputForm.Grammar(JsonObject.text(value, path)));

    private static final Map<String, BiFunction<JsonNode, String, OutputForm>> STRUCTURED = Map.of(
            "json", (value, path) -> json(value),
            "regex", (value, path) -> new OutputForm.Regex(JsonObject.text(value, path)),
            "choice", FormatFields::choice,
            "grammar", (value, path) -> new OutputForm.Grammar(JsonObject.text(value, path)),
            "json_object", (value, path) -> anyObject());

    /** Reads what there is; null where any text will do. */
    static @Nullable FormatFields read(JsonObject body) {
        List<FormatFields> all = new ArrayList<>();
        OutputForm format = responseFormat(body.object("response_format"));
        if (format != null) {
            all.add(new FormatFields(format, "response_format"));
        }
        add(body, EXTENSIONS, all);
        JsonObject structured = body.object("structured_outputs");
        if (structured != null) {
            add(structured, STRUCTURED, all);
        }
        if (all.size() > 1) {
            throw ApiException.badField(
                    all.get(1).field,
                    "'" + all.get(0).field + "' and '" + all.get(1).field + "' both say what the reply must be.");
        }
        return all.isEmpty() ? null : all.getFirst();
    }

    private static void add(
            JsonObject object, Map<String, BiFunction<JsonNode, String, OutputForm>> readers, List<FormatFields> all) {
        readers.forEach((name, reader) -> {
            JsonNode value = object.get(name);
            boolean nothing =
                    value == null || (value.isTextual() && value.textValue().isEmpty());
            if (!nothing) {
                all.add(new FormatFields(reader.apply(value, object.path(name)), object.path(name)));
            }
        });
    }

    /** What {@code response_format}, or the {@code text.format} of a response, asks for; null for any text. */
    static @Nullable OutputForm responseFormat(@Nullable JsonObject format) {
        if (format == null) {
            return null;
        }
        return switch (format.requiredText("type")) {
            case "text" -> null;
            case "json_object" -> {
                // As llama.cpp's clients write a schema.
                JsonObject schema = format.object("schema");
                yield schema == null ? anyObject() : new OutputForm.Json(schema.node());
            }
            case "json_schema" -> {
                JsonObject nested = format.object("json_schema");
                // The form of /v1/responses has the schema beside the type.
                JsonObject holder = nested == null ? format : nested;
                holder.requiredText("name");
                holder.flag("strict", false);
                JsonObject schema = holder.object("schema");
                yield schema == null ? anyObject() : new OutputForm.Json(schema.node());
            }
            case "grammar" -> new OutputForm.Grammar(format.requiredText("grammar"));
            case "regex" -> new OutputForm.Regex(format.requiredText("pattern"));
            default ->
                throw ApiException.badField(
                        format.path("type"), "'" + format.path("type") + "' must be text, json_object or json_schema.");
        };
    }

    /** Any JSON object. */
    private static OutputForm anyObject() {
        return new OutputForm.Json(JsonNodeFactory.instance.objectNode().put("type", "object"));
    }

    /** vLLM's clients send a schema as an object or as its text. */
    private static OutputForm json(JsonNode value) {
        return new OutputForm.Json(value.isTextual() ? WireJson.readValue(value.textValue()) : value);
    }

    private static OutputForm choice(JsonNode value, String path) {
        if (!value.isArray() || value.isEmpty() || value.size() > MAX_CHOICES) {
            throw ApiException.badField(path, "'" + path + "' must be an array of 1 to " + MAX_CHOICES + " strings.");
        }
        List<OutputForm> options = new ArrayList<>();
        value.forEach(element -> options.add(new OutputForm.Literal(JsonObject.text(element, path))));
        return new OutputForm.Choice(options);
    }
}
