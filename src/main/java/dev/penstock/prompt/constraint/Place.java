package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * A schema at its place in the document; places are equal where their pointers are.
 *
 * @param pointer where it is, such as {@code #/properties/a}
 * @param schema an object, true or false
 * @param negated whether what is <em>not</em> valid under it is meant
 */
record Place(String pointer, JsonNode schema, boolean negated) {
    /** Names are bounded by this, as each place holds its own. */
    private static final int MAX_POINTER = 2000;

    /** A pointer, and a name after it (RFC 6901). */
    static String pointer(String parent, String name) {
        if (parent.length() + name.length() > MAX_POINTER) {
            throw new ConstraintException("the schema has names that are too long, at " + shown(parent) + ": a pointer "
                    + "may have " + MAX_POINTER + " characters.");
        }
        return parent + "/" + name.replace("~", "~0").replace("/", "~1");
    }

    /** As much of a text as a message shows. */
    static String shown(String text) {
        return text.length() <= 80 ? text : text.substring(0, 80) + "...";
    }

    /** The schema of a keyword. */
    Place child(String keyword) {
        return new Place(pointer(pointer, keyword), schema.path(keyword), false).checked();
    }

    /** One of the schemas that a keyword has by name. */
    Place child(String keyword, String name) {
        JsonNode child = schema.path(keyword).path(name);
        return new Place(pointer(pointer(pointer, keyword), name), child, false).checked();
    }

    /** One of the schemas that a keyword has in a list. */
    Place child(String keyword, int index) {
        JsonNode child = schema.path(keyword).path(index);
        return new Place(pointer(pointer(pointer, keyword), String.valueOf(index)), child, false).checked();
    }

    /** What is valid here where it is not there. */
    Place not() {
        return new Place(pointer, schema, !negated);
    }

    /** Whether nothing is valid here, by its mere form. */
    boolean isNothing() {
        return schema.isBoolean() && schema.booleanValue() == negated;
    }

    /** Whether all is valid here, by its mere form. */
    boolean isAnything() {
        return negated ? isNothing(schema) : schema.isEmpty() && schema.isObject() || isTrue(schema);
    }

    private static boolean isTrue(JsonNode schema) {
        return schema.isBoolean() && schema.booleanValue();
    }

    private static boolean isNothing(JsonNode schema) {
        return schema.isBoolean() && !schema.booleanValue();
    }

    /** This, unless it is no schema at all. */
    Place checked() {
        if (!schema.isObject() && !schema.isBoolean()) {
            throw new ConstraintException("the schema at " + pointer + " must be an object, true or false.");
        }
        return this;
    }

    /** That a keyword here can't be held. */
    ConstraintException refused(String keyword, String why) {
        return new ConstraintException("the keyword '" + keyword + "' at " + pointer + " can't be used: " + why + ".");
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Place that && negated == that.negated && pointer.equals(that.pointer);
    }

    @Override
    public int hashCode() {
        return pointer.hashCode() * 2 + (negated ? 1 : 0);
    }

    @Override
    public String toString() {
        return (negated ? "not " : "") + pointer;
    }
}
