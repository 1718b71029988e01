package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.penstock.prompt.constraint.Conjunction.Type;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What is not valid under a schema: what breaks one of its keywords at least (De Morgan). */
final class SchemaNegation {
    private final SchemaExpander expander;

    SchemaNegation(SchemaExpander expander) {
        this.expander = expander;
    }

    /**
     * The alternatives.
     *
     * @param place a negated one
     * @throws ConstraintException a keyword can't be negated
     */
    List<Conjunction> of(Place place) {
        Place plain = place.not();
        List<Conjunction> all = new ArrayList<>();
        Iterator<String> keywords = place.schema().fieldNames();
        while (keywords.hasNext()) {
            String keyword = keywords.next();
            if (!SchemaReader.isNote(keyword)) {
                all.addAll(of(plain, keyword));
            }
        }
        return all;
    }

    private List<Conjunction> of(Place place, String keyword) {
        JsonNode schema = place.schema();
        return switch (keyword) {
            case "type" -> types(place);
            case "const", "enum" -> List.of(others(place, keyword));
            case "minimum", "exclusiveMinimum" -> {
                NumberFacts.Bound min =
                        SchemaReader.read(place, keyword).number().min();
                yield min == null
                        ? List.of()
                        : only(Type.NUMBER, Conjunction.of(NumberFacts.atMost(min.value(), !min.strict())));
            }
            case "maximum", "exclusiveMaximum" -> {
                NumberFacts.Bound max =
                        SchemaReader.read(place, keyword).number().max();
                yield max == null
                        ? List.of()
                        : only(Type.NUMBER, Conjunction.of(NumberFacts.atLeast(max.value(), !max.strict())));
            }
            case "multipleOf" -> {
                BigDecimal multiple = SchemaReader.read(place, keyword)
                        .number()
                        .multiples()
                        .iterator()
                        .next();
                yield only(Type.NUMBER, Conjunction.of(NumberFacts.noMultipleOf(multiple)));
            }
            case "minLength" -> {
                int min = SchemaReader.read(place, keyword).string().min();
                yield min == 0 ? List.of() : only(Type.STRING, Conjunction.of(StringFacts.length(0, min - 1)));
            }
            case "maxLength" -> {
                int max = SchemaReader.read(place, keyword).string().max();
                yield only(Type.STRING, Conjunction.of(StringFacts.length(max + 1, Regex.UNBOUNDED)));
            }
            case "pattern" -> {
                Regex plain = Regex.repeat(JsonText.PLAIN_CHAR, 0, Regex.UNBOUNDED);
                Regex pattern = SchemaReader.read(place, keyword)
                        .string()
                        .patterns()
                        .iterator()
                        .next();
                yield only(Type.STRING, Conjunction.of(StringFacts.matching(Regex.and(plain, Regex.not(pattern)))));
            }
            case "minItems" -> {
                int min = SchemaReader.read(place, keyword).array().min();
                yield min == 0 ? List.of() : only(Type.ARRAY, Conjunction.of(ArrayFacts.size(0, min - 1)));
            }
            case "maxItems" -> {
                int max = SchemaReader.read(place, keyword).array().max();
                yield only(Type.ARRAY, Conjunction.of(ArrayFacts.size(max + 1, Regex.UNBOUNDED)));
            }
            case "required" -> {
                List<Conjunction> all = new ArrayList<>();
                for (String name : SchemaReader.names(place, keyword, schema.path(keyword))) {
                    all.addAll(only(Type.OBJECT, Conjunction.of(ObjectFacts.without(name))));
                }
                yield all;
            }
            case "properties" -> properties(place);
            case "allOf" -> {
                List<Conjunction> all = new ArrayList<>();
                SchemaReader.children(place, keyword, "a list of schemas")
                        .forEach(part -> all.addAll(expander.of(part.not())));
                yield all;
            }
            case "anyOf" ->
                expander.all(SchemaReader.children(place, keyword, "a list of schemas").stream()
                        .map(Place::not)
                        .toList());
            case "not" -> expander.of(place.child(keyword));
            case "$ref" -> expander.of(expander.document().target(place).not());
            default ->
                throw place.refused(keyword, "it can't be held where the schema is negated, by not, if or oneOf");
        };
    }

    private static List<Conjunction> only(Type type, Conjunction conjunction) {
        return List.of(conjunction.only(type));
    }

    private static List<Conjunction> types(Place place) {
        Conjunction named = SchemaReader.read(place, "type");
        EnumSet<Type> others = EnumSet.allOf(Type.class);
        others.removeAll(named.types());
        List<Conjunction> all = new ArrayList<>();
        if (!others.isEmpty()) {
            all.add(Conjunction.of(others));
        }
        if (named.number().integral()) {
            all.addAll(only(Type.NUMBER, Conjunction.of(NumberFacts.noMultipleOf(BigDecimal.ONE))));
        }
        return all;
    }

    private static Conjunction others(Place place, String keyword) {
        List<JsonNode> values = SchemaReader.read(place, keyword).values();
        Conjunction all = Conjunction.ANY;
        for (JsonNode value : values == null ? List.<JsonNode>of() : values) {
            Type type = Type.of(value);
            all = all.and(
                    switch (type) {
                        case NUMBER -> Conjunction.of(NumberFacts.except(value.decimalValue()));
                        case STRING -> Conjunction.of(StringFacts.except(value.textValue()));
                        case NULL, FALSE, TRUE -> Conjunction.of(EnumSet.complementOf(EnumSet.of(type)));
                        case ARRAY, OBJECT ->
                            throw place.refused(
                                    keyword, "arrays and objects can't be told apart where the schema is negated");
                    });
        }
        return all;
    }

    private static List<Conjunction> properties(Place place) {
        List<Conjunction> all = new ArrayList<>();
        for (ObjectFacts.Part part : SchemaReader.read(place).object().parts()) {
            part.properties().forEach((name, child) -> {
                Conjunction broken = Conjunction.of(ObjectFacts.of(
                                new ObjectFacts.Part(Map.of(name, child.not()), Map.of(), SchemaReader.ANYTHING)))
                        .and(Conjunction.of(ObjectFacts.having(Set.of(name))));
                all.addAll(only(Type.OBJECT, broken));
            });
        }
        return all;
    }
}
