package dev.penstock.prompt.template;

/**
 * A piece of a template.
 *
 * @param kind what it is
 * @param text its text; of a string literal its value, of {@code DATA} what is printed
 * @param at where it begins in the source
 */
record Token(Kind kind, String text, int at) {
    enum Kind {
        /** Text between tags. */
        DATA,
        BLOCK_BEGIN,
        BLOCK_END,
        VARIABLE_BEGIN,
        VARIABLE_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean is(Kind wanted, String wantedText) {
        return kind == wanted && text.equals(wantedText);
    }

    boolean isName(String name) {
        return is(Kind.NAME, name);
    }

    boolean isOperator(String operator) {
        return is(Kind.OPERATOR, operator);
    }

    /** How an error message names it. */
    String describe() {
        return switch (kind) {
            case DATA -> "text";
            case BLOCK_BEGIN -> "'{%'";
            case BLOCK_END -> "'%}'";
            case VARIABLE_BEGIN -> "'{{'";
            case VARIABLE_END -> "'}}'";
            case STRING -> "a string";
            case END -> "the end of the template";
            case NAME, INTEGER, FLOAT, OPERATOR -> "'" + text + "'";
        };
    }
}
