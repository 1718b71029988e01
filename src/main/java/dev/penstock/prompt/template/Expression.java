package dev.penstock.prompt.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What has a value. {@code at} is the place in the source that an error is reported for. */
sealed interface Expression {
    int at();

    record Literal(Object value, int at) implements Expression {}

    record Name(String name, int at) implements Expression {}

    /** {@code target.name}. */
    record Attribute(Expression target, String name, int at) implements Expression {}

    /** {@code target[index]}. */
    record Item(Expression target, Expression index, int at) implements Expression {}

    /** {@code target[start:stop:step]}. */
    record Slice(
            Expression target,
            @Nullable Expression start,
            @Nullable Expression stop,
            @Nullable Expression step,
            int at) implements Expression {}

    record Call(Expression callee, Arguments arguments, int at) implements Expression {}

    /** {@code value | name(arguments)}; without a value in a block's head, where the block's text takes its place. */
    record Filter(@Nullable Expression value, String name, Arguments arguments, int at) implements Expression {}

    /** {@code value is [not] name(arguments)}. */
    record Test(Expression value, String name, Arguments arguments, boolean negated, int at) implements Expression {}

    record Unary(Operator operator, Expression operand, int at) implements Expression {}

    record Binary(Operator operator, Expression left, Expression right, int at) implements Expression {}

    /** {@code first < next <= ...}: each operand is worked out once, and none behind the first that fails. */
    record Comparison(Expression first, List<Link> links, int at) implements Expression {
        record Link(Operator operator, Expression operand) {}
    }

    /** {@code a ~ b ~ ...}. */
    record Concatenation(List<Expression> parts, int at) implements Expression {}

    /** {@code then if condition else otherwise}. */
    record Conditional(
            Expression condition, Expression then, @Nullable Expression otherwise, int at) implements Expression {}

    record ListOf(List<Expression> elements, int at) implements Expression {}

    record TupleOf(List<Expression> elements, int at) implements Expression {}

    record DictOf(List<Entry> entries, int at) implements Expression {
        record Entry(Expression key, Expression value) {}
    }

    /**
     * The arguments of a call.
     *
     * @param rest {@code *rest}
     * @param namedRest {@code **namedRest}
     */
    record Arguments(
            List<Expression> positional,
            List<Named> named,
            @Nullable Expression rest,
            @Nullable Expression namedRest) {
        static final Arguments NONE = new Arguments(List.of(), List.of(), null, null);

        record Named(String name, Expression value) {}
    }

    /** Operators, with the sign that messages show. */
    enum Operator {
        AND("and"),
        OR("or"),
        NOT("not"),
        ADD("+"),
        SUBTRACT("-"),
        MULTIPLY("*"),
        DIVIDE("/"),
        FLOOR_DIVIDE("//"),
        MODULO("%"),
        POWER("**"),
        EQUAL("=="),
        NOT_EQUAL("!="),
        LESS("<"),
        LESS_OR_EQUAL("<="),
        GREATER(">"),
        GREATER_OR_EQUAL(">="),
        IN("in"),
        NOT_IN("not in");

        private final String sign;

        Operator(String sign) {
            this.sign = sign;
        }

        String sign() {
            return sign;
        }
    }
}
