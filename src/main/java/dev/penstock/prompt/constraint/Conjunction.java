package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What schemas that hold at once ask of a value, without alternatives: of each type what holds if the value has it.
 *
 * @param types those that it may have
 * @param values those that it must be one of; null for any
 */
record Conjunction(
        Set<Type> types,
        @Nullable List<JsonNode> values,
        NumberFacts number,
        StringFacts string,
        ObjectFacts object,
        ArrayFacts array) {
    /** Types of JSON; integers are numbers with a condition. */
    enum Type {
        NULL,
        FALSE,
        TRUE,
        NUMBER,
        STRING,
        ARRAY,
        OBJECT;

        /** The type of a value; both values of a boolean are types of their own here. */
        static Type of(JsonNode value) {
            return switch (value.getNodeType()) {
                case BOOLEAN -> value.booleanValue() ? TRUE : FALSE;
                case NUMBER -> NUMBER;
                case STRING -> STRING;
                case ARRAY -> ARRAY;
                case OBJECT -> OBJECT;
                default -> NULL;
            };
        }
    }

    static final Conjunction ANY = new Conjunction(
            EnumSet.allOf(Type.class), null, NumberFacts.ANY, StringFacts.ANY, ObjectFacts.ANY, ArrayFacts.ANY);

    static Conjunction of(Set<Type> types) {
        return new Conjunction(types, null, NumberFacts.ANY, StringFacts.ANY, ObjectFacts.ANY, ArrayFacts.ANY);
    }

    static Conjunction of(List<JsonNode> values) {
        EnumSet<Type> types = EnumSet.noneOf(Type.class);
        values.forEach(value -> types.add(Type.of(value)));
        return new Conjunction(types, values, NumberFacts.ANY, StringFacts.ANY, ObjectFacts.ANY, ArrayFacts.ANY);
    }

    static Conjunction of(NumberFacts number) {
        return new Conjunction(ANY.types, null, number, StringFacts.ANY, ObjectFacts.ANY, ArrayFacts.ANY);
    }

    static Conjunction of(StringFacts string) {
        return new Conjunction(ANY.types, null, NumberFacts.ANY, string, ObjectFacts.ANY, ArrayFacts.ANY);
    }

    static Conjunction of(ObjectFacts object) {
        return new Conjunction(ANY.types, null, NumberFacts.ANY, StringFacts.ANY, object, ArrayFacts.ANY);
    }

    static Conjunction of(ArrayFacts array) {
        return new Conjunction(ANY.types, null, NumberFacts.ANY, StringFacts.ANY, ObjectFacts.ANY, array);
    }

    /** The same of values of one type alone. */
    Conjunction only(Type type) {
        return and(of(EnumSet.of(type)));
    }

    /** What both ask. */
    Conjunction and(Conjunction other) {
        EnumSet<Type> both = EnumSet.noneOf(Type.class);
        both.addAll(types);
        both.retainAll(other.types);
        return new Conjunction(
                both,
                common(values, other.values),
                number.and(other.number),
                string.and(other.string),
                object.and(other.object),
                array.and(other.array));
    }

    private static @Nullable List<JsonNode> common(@Nullable List<JsonNode> a, @Nullable List<JsonNode> b) {
        if (a == null || b == null) {
            return a == null ? b : a;
        }
        List<JsonNode> both = new ArrayList<>();
        for (JsonNode value : a) {
            if (b.stream().anyMatch(other -> same(value, other))) {
                both.add(value);
            }
        }
        return both;
    }

    /** Whether two values are equal as JSON Schema has it: numbers by what they are, not by how they are written. */
    static boolean same(JsonNode a, JsonNode b) {
        return a.equals(Conjunction::compare, b);
    }

    private static int compare(JsonNode a, JsonNode b) {
        if (a.isNumber() && b.isNumber()) {
            return a.decimalValue().compareTo(b.decimalValue());
        }
        return a.equals(b) ? 0 : 1;
    }
}
