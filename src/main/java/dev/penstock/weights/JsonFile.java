package dev.penstock.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * An object in a JSON file of a model folder, read with bounds on size, depth and values: whoever wrote the file is
 * not trusted. To all readers absent members and {@code null} are the same, as they are to most writers of such files.
 */
final class JsonFile {
    /** Deeper than any file that a model comes with; a parser's stack is safe with it. */
    static final int MAX_DEPTH = 64;

    /** A chat template is the longest string in use, some tens of kilobytes. */
    private static final int MAX_STRING = 4 << 20;

    /** Reads JSON with the bounds above. Python writes NaN and Infinity as bare words, so they parse. */
    static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxStringLength(MAX_STRING)
                    .maxNumberLength(64)
                    .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .build();

    private static final JsonMapper MAPPER = new JsonMapper(FACTORY);

    private final Path file;
    private final String prefix;
    private final JsonNode node;

    private JsonFile(Path file, String prefix, JsonNode node) {
        this.file = file;
        this.prefix = prefix;
        this.node = node;
    }

    /**
     * Reads a file that must hold one JSON object.
     *
     * @throws ModelFolderException it can't be read, is over {@code maxBytes}, or is no JSON object
     */
    static JsonFile read(Path file, int maxBytes) {
        try {
            long size = Files.size(file);
            if (size > maxBytes) {
                throw ModelFolderException.in(
                        file, "expected at most " + maxBytes + " bytes for this kind of file, found " + size);
            }
            return parse(file, Files.readAllBytes(file));
        } catch (IOException e) {
            throw ModelFolderException.in(file, "can't be read: " + e, e);
        }
    }

    /** As {@link #read}, but for a file that must hold an array of objects. */
    static List<JsonFile> readArray(Path file, int maxBytes) {
        try {
            if (Files.size(file) > maxBytes) {
                throw ModelFolderException.in(file, "expected at most " + maxBytes + " bytes for this kind of file");
            }
            JsonNode node = MAPPER.readTree(Files.readAllBytes(file));
            List<JsonFile> objects = new ArrayList<>();
            for (JsonNode item : node) {
                if (item.isObject()) {
                    objects.add(new JsonFile(file, "[" + objects.size() + "].", item));
                }
            }
            if (!node.isArray() || objects.size() != node.size()) {
                throw ModelFolderException.in(file, "expected a JSON array of objects");
            }
            return objects;
        } catch (JsonProcessingException e) {
            throw ModelFolderException.in(file, "not valid JSON: " + e.getMessage(), e);
        } catch (IOException e) {
            throw ModelFolderException.in(file, "can't be read: " + e, e);
        }
    }

    /** An object from bytes that came from {@code file}. */
    static JsonFile parse(Path file, byte[] json) {
        try {
            JsonNode node = MAPPER.readTree(json);
            if (node == null || !node.isObject()) {
                throw ModelFolderException.in(file, "expected a JSON object");
            }
            return new JsonFile(file, "", node);
        } catch (JsonProcessingException e) {
            throw ModelFolderException.in(file, "not valid JSON: " + e.getMessage(), e);
        } catch (IOException e) {
            throw ModelFolderException.in(file, "can't be read: " + e, e);
        }
    }

    Path file() {
        return file;
    }

    /** The same with values for members that are missing; one that is null stays so, since that asks for none. */
    JsonFile withDefaults(Map<String, Object> values) {
        ObjectNode all = node.deepCopy();
        values.forEach((name, value) -> {
            if (!all.has(name)) {
                all.set(name, MAPPER.valueToTree(value));
            }
        });
        return new JsonFile(file, prefix, all);
    }

    /** The member as Jackson sees it, {@code null} where it is absent or null. */
    @Nullable
    JsonNode get(String name) {
        JsonNode value = node.get(name);
        return value == null || value.isNull() ? null : value;
    }

    /** The object under that name, if there is one. */
    Optional<JsonFile> object(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.isObject()) {
            throw wrong(name, "an object", value);
        }
        return Optional.of(new JsonFile(file, prefix + name + ".", value));
    }

    /** A whole number in [min, max] that must be there. */
    int requiredInt(String name, int min, int max) {
        return optionalInt(name, min, max).orElseThrow(() -> missing(name, bounds(min, max)));
    }

    /** A whole number in [min, max], if it is there. */
    OptionalInt optionalInt(String name, int min, int max) {
        JsonNode value = get(name);
        if (value == null) {
            return OptionalInt.empty();
        }
        // Some writers store whole numbers as 2048.0.
        double number = value.isNumber() ? value.doubleValue() : Double.NaN;
        if (!(number >= min && number <= max) || number != Math.rint(number)) {
            throw wrong(name, bounds(min, max), value);
        }
        return OptionalInt.of((int) number);
    }

    /** A finite number in [min, max], if it is there. */
    OptionalDouble optionalDouble(String name, double min, double max) {
        JsonNode value = get(name);
        if (value == null) {
            return OptionalDouble.empty();
        }
        if (!value.isNumber() || !(value.doubleValue() >= min && value.doubleValue() <= max)) {
            throw wrong(name, "a number from " + min + " to " + max, value);
        }
        return OptionalDouble.of(value.doubleValue());
    }

    /** True or false, if it is there. */
    Optional<Boolean> optionalBoolean(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.isBoolean()) {
            throw wrong(name, "true or false", value);
        }
        return Optional.of(value.booleanValue());
    }

    /** A string, if it is there. */
    Optional<String> optionalString(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.isTextual()) {
            throw wrong(name, "a string", value);
        }
        return Optional.of(value.textValue());
    }

    /** The strings of an array; empty where there is none. */
    List<String> strings(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return List.of();
        }
        List<String> strings = new ArrayList<>();
        for (JsonNode item : value) {
            if (item.isTextual()) {
                strings.add(item.textValue());
            }
        }
        if (!value.isArray() || strings.size() != value.size()) {
            throw wrong(name, "an array of strings", value);
        }
        return List.copyOf(strings);
    }

    /** The numbers of an array, each in [min, max]; empty where there is none. */
    List<Double> numbers(String name, double min, double max) {
        JsonNode value = get(name);
        if (value == null) {
            return List.of();
        }
        List<Double> numbers = new ArrayList<>();
        for (JsonNode item : value) {
            if (item.isNumber() && item.doubleValue() >= min && item.doubleValue() <= max) {
                numbers.add(item.doubleValue());
            }
        }
        if (!value.isArray() || numbers.size() != value.size()) {
            throw wrong(name, "an array of numbers from " + min + " to " + max, value);
        }
        return List.copyOf(numbers);
    }

    /** Token ids, written as one number or an array of them; empty where there is none. */
    List<Integer> tokenIds(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return List.of();
        }
        List<Integer> ids = new ArrayList<>();
        for (JsonNode item : value.isArray() ? value : List.of(value)) {
            if (!item.canConvertToExactIntegral() || !item.canConvertToInt() || item.intValue() < -1) {
                throw wrong(name, "a token id or an array of token ids", value);
            }
            // -1 stands for 'none' in some files.
            if (item.intValue() >= 0) {
                ids.add(item.intValue());
            }
        }
        return List.copyOf(ids);
    }

    /** What to throw for a member that says something it must not. */
    ModelFolderException wrong(String name, String expected, Object found) {
        String text = String.valueOf(found);
        return ModelFolderException.in(
                file,
                "`" + prefix + name + "`: expected " + expected + ", found "
                        + (text.length() > 100 ? text.substring(0, 100) + "…" : text));
    }

    /** What to throw for a member that must be there. */
    ModelFolderException missing(String name, String expected) {
        return ModelFolderException.in(file, "`" + prefix + name + "` is missing: expected " + expected);
    }

    private static String bounds(int min, int max) {
        return "a whole number from " + min + " to " + max;
    }
}
