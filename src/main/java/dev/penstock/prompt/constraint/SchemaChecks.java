package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.penstock.prompt.constraint.Conjunction.Type;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Whether values are valid under schemas, and whether any is. */
final class SchemaChecks {
    /** So deep is looked for what can't be; beyond it there may be something. */
    private static final int MAX_DEPTH = 4;

    private final SchemaExpander expander;

    SchemaChecks(SchemaExpander expander) {
        this.expander = expander;
    }

    /** Whether a value is valid under all of these schemas. */
    boolean isValid(JsonNode value, Collection<Place> places) {
        return expander.all(places).stream().anyMatch(conjunction -> isValid(value, conjunction));
    }

    /** Whether a name is valid under all of these schemas. */
    boolean isValidName(String name, Collection<Place> places) {
        return places.isEmpty() || isValid(TextNode.valueOf(name), places);
    }

    /** Whether a value is as asked. */
    boolean isValid(JsonNode value, Conjunction asked) {
        Type type = Type.of(value);
        List<JsonNode> values = asked.values();
        if (!asked.types().contains(type)
                || (values != null && values.stream().noneMatch(v -> Conjunction.same(v, value)))) {
            return false;
        }
        return switch (type) {
            case NULL, FALSE, TRUE -> true;
            case NUMBER -> asked.number().allow(value.decimalValue());
            case STRING -> asked.string().allow(value.textValue());
            case ARRAY -> isValid(value, asked.array());
            case OBJECT -> isValid(value, asked.object());
        };
    }

    private boolean isValid(JsonNode array, ArrayFacts asked) {
        if (array.size() < asked.min() || array.size() > asked.max()) {
            return false;
        }
        for (int i = 0; i < array.size(); i++) {
            JsonNode item = array.get(i);
            if (!isValid(item, asked.placesOf(i))) {
                return false;
            }
            for (int j = 0; asked.unique() && j < i; j++) {
                if (Conjunction.same(item, array.get(j))) {
                    return false;
                }
            }
        }
        for (Place place : asked.contained()) {
            boolean found = false;
            for (JsonNode item : array) {
                found |= isValid(item, List.of(place));
            }
            if (!found) {
                return false;
            }
        }
        return true;
    }

    private boolean isValid(JsonNode object, ObjectFacts asked) {
        if (object.size() < asked.min()
                || object.size() > asked.max()
                || !asked.required().stream().allMatch(object::has)
                || asked.forbidden().stream().anyMatch(object::has)) {
            return false;
        }
        Iterator<Map.Entry<String, JsonNode>> fields = object.fields();
        while (fields.hasNext()) {
            Map.Entry<String, JsonNode> field = fields.next();
            if (!isValidName(field.getKey(), asked.names())
                    || !isValid(field.getValue(), asked.placesOf(field.getKey()))) {
                return false;
            }
        }
        return true;
    }

    /** Whether surely no value is as asked. */
    boolean isEmpty(Conjunction asked) {
        return isEmpty(asked, 0);
    }

    private boolean isEmpty(Conjunction asked, int depth) {
        List<JsonNode> values = asked.values();
        if (values != null) {
            return values.stream().noneMatch(value -> isValid(value, asked));
        }
        return asked.types().stream().allMatch(type -> switch (type) {
            case NULL, FALSE, TRUE -> false;
            case NUMBER -> NumberText.of(asked.number()).isEmpty();
            case STRING -> asked.string().content().isEmpty();
            case ARRAY -> isEmpty(asked.array(), depth);
            case OBJECT -> isEmpty(asked.object(), depth);
        });
    }

    private boolean isEmpty(ArrayFacts asked, int depth) {
        if (asked.min() > asked.most()) {
            return true;
        }
        for (int i = 0; i < Math.min(asked.min(), asked.prefix() + 1); i++) {
            if (isNothingValid(asked.placesOf(i), depth + 1)) {
                return true;
            }
        }
        return false;
    }

    private boolean isEmpty(ObjectFacts asked, int depth) {
        return asked.min() > asked.max()
                || asked.required().size() > asked.max()
                || asked.required().stream()
                        .anyMatch(name -> asked.forbidden().contains(name)
                                || !isValidName(name, asked.names())
                                || isNothingValid(asked.placesOf(name), depth + 1));
    }

    private boolean isNothingValid(List<Place> places, int depth) {
        if (depth > MAX_DEPTH) {
            return false;
        }
        try {
            return expander.all(places).stream().allMatch(conjunction -> isEmpty(conjunction, depth));
        } catch (ConstraintException e) {
            // It leads back to what is being looked at, or will be refused in its own place.
            return false;
        }
    }
}
