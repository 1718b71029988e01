package dev.penstock.prompt.template;

import dev.penstock.prompt.template.Expression.Arguments;
import dev.penstock.prompt.template.Expression.Operator;
import dev.penstock.prompt.template.Token.Kind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses expressions with Jinja2's grammar and precedence (its {@code parser.py}, version 3.1). */
final class ExpressionParser {
    /** Most operators, calls or filters in one chain, whose evaluation nests. */
    private static final int MAX_CHAIN = 200;

    private static final Map<String, Operator> COMPARISONS = Map.of(
            "==", Operator.EQUAL,
            "!=", Operator.NOT_EQUAL,
            "<", Operator.LESS,
            "<=", Operator.LESS_OR_EQUAL,
            ">", Operator.GREATER,
            ">=", Operator.GREATER_OR_EQUAL);
    private static final Map<String, Operator> SUMS = Map.of("+", Operator.ADD, "-", Operator.SUBTRACT);
    private static final Map<String, Operator> PRODUCTS =
            Map.of("*", Operator.MULTIPLY, "/", Operator.DIVIDE, "//", Operator.FLOOR_DIVIDE, "%", Operator.MODULO);
    private static final Map<String, Operator> POWERS = Map.of("**", Operator.POWER);

    /** What a macro can use without declaring it. */
    private static final Set<String> IMPLICIT = Set.of("caller", "varargs", "kwargs");

    private final TokenStream tokens;
    private Set<String> implicit = new HashSet<>();

    ExpressionParser(TokenStream tokens) {
        this.tokens = tokens;
    }

    /** Which of a macro's implicit variables were named since the last call. */
    Set<String> takeImplicit() {
        Set<String> taken = implicit;
        implicit = new HashSet<>();
        return taken;
    }

    void addImplicit(Set<String> names) {
        implicit.addAll(names);
    }

    /** An expression; conditional ({@code a if b else c}) ones included. */
    Expression expression() {
        tokens.enter();
        Expression value = or();
        int chain = 0;
        while (tokens.current().isName("if")) {
            int at = tokens.take().at();
            limit(++chain, at);
            Expression condition = or();
            Expression otherwise = tokens.takeName("else") ? expression() : null;
            value = new Expression.Conditional(condition, value, otherwise, at);
        }
        tokens.leave();
        return value;
    }

    /** An expression, or several with commas, which are a tuple; for {@code for} and {@code if} without conditional. */
    Expression tuple(boolean conditional) {
        int at = tokens.current().at();
        Expression first = conditional ? expression() : or();
        if (!tokens.current().isOperator(",")) {
            return first;
        }
        List<Expression> elements = new ArrayList<>(List.of(first));
        while (tokens.takeOperator(",")) {
            if (endsTuple()) {
                break;
            }
            elements.add(conditional ? expression() : or());
        }
        return new Expression.TupleOf(List.copyOf(elements), at);
    }

    private boolean endsTuple() {
        Token token = tokens.current();
        return token.kind() == Kind.BLOCK_END || token.kind() == Kind.VARIABLE_END || token.isOperator(")");
    }

    private Expression or() {
        Expression left = and();
        for (int chain = 1; tokens.current().isName("or"); chain++) {
            int at = tokens.take().at();
            limit(chain, at);
            left = new Expression.Binary(Operator.OR, left, and(), at);
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        for (int chain = 1; tokens.current().isName("and"); chain++) {
            int at = tokens.take().at();
            limit(chain, at);
            left = new Expression.Binary(Operator.AND, left, not(), at);
        }
        return left;
    }

    private Expression not() {
        if (!tokens.current().isName("not")) {
            return comparison();
        }
        int at = tokens.take().at();
        tokens.enter();
        Expression operand = not();
        tokens.leave();
        return new Expression.Unary(Operator.NOT, operand, at);
    }

    private Expression comparison() {
        Expression first = sum();
        List<Expression.Comparison.Link> links = new ArrayList<>();
        int at = tokens.current().at();
        while (true) {
            Token token = tokens.current();
            Operator operator = token.kind() == Kind.OPERATOR ? COMPARISONS.get(token.text()) : null;
            if (operator != null) {
                tokens.take();
            } else if (tokens.takeName("in")) {
                operator = Operator.IN;
            } else if (token.isName("not") && tokens.look().isName("in")) {
                tokens.take();
                tokens.take();
                operator = Operator.NOT_IN;
            } else {
                break;
            }
            links.add(new Expression.Comparison.Link(operator, sum()));
        }
        return links.isEmpty() ? first : new Expression.Comparison(first, List.copyOf(links), at);
    }

    private Expression sum() {
        Expression left = concatenation();
        for (int chain = 1; operator(SUMS) instanceof Operator operator; chain++) {
            int at = tokens.take().at();
            limit(chain, at);
            left = new Expression.Binary(operator, left, concatenation(), at);
        }
        return left;
    }

    private Expression concatenation() {
        Expression first = product();
        if (!tokens.current().isOperator("~")) {
            return first;
        }
        int at = tokens.current().at();
        List<Expression> parts = new ArrayList<>(List.of(first));
        while (tokens.takeOperator("~")) {
            parts.add(product());
        }
        return new Expression.Concatenation(List.copyOf(parts), at);
    }

    private Expression product() {
        Expression left = power();
        for (int chain = 1; operator(PRODUCTS) instanceof Operator operator; chain++) {
            int at = tokens.take().at();
            limit(chain, at);
            left = new Expression.Binary(operator, left, power(), at);
        }
        return left;
    }

    /** Groups to the left, as Jinja2 does and Python does not. */
    private Expression power() {
        Expression left = unary(true);
        for (int chain = 1; operator(POWERS) instanceof Operator operator; chain++) {
            int at = tokens.take().at();
            limit(chain, at);
            left = new Expression.Binary(operator, left, unary(true), at);
        }
        return left;
    }

    private @Nullable Operator operator(Map<String, Operator> among) {
        Token token = tokens.current();
        return token.kind() == Kind.OPERATOR ? among.get(token.text()) : null;
    }

    /** A sign binds more weakly than calls and more strongly than filters: {@code -1|abs} is 1. */
    private Expression unary(boolean withFilters) {
        Token token = tokens.current();
        Expression value;
        if (token.isOperator("-") || token.isOperator("+")) {
            tokens.take();
            tokens.enter();
            Expression operand = unary(false);
            tokens.leave();
            value = new Expression.Unary(token.isOperator("-") ? Operator.SUBTRACT : Operator.ADD, operand, token.at());
        } else {
            value = primary();
        }
        value = postfix(value);
        return withFilters ? filters(value) : value;
    }

    private Expression primary() {
        Token token = tokens.current();
        return switch (token.kind()) {
            case NAME -> {
                tokens.take();
                yield switch (token.text()) {
                    case "true", "True" -> new Expression.Literal(true, token.at());
                    case "false", "False" -> new Expression.Literal(false, token.at());
                    case "none", "None" -> new Expression.Literal(None.NONE, token.at());
                    default -> {
                        if (IMPLICIT.contains(token.text())) {
                            implicit.add(token.text());
                        }
                        yield new Expression.Name(token.text(), token.at());
                    }
                };
            }
            case STRING -> {
                StringBuilder text = new StringBuilder();
                while (tokens.current().kind() == Kind.STRING) {
                    text.append(tokens.take().text());
                }
                yield new Expression.Literal(text.toString(), token.at());
            }
            case INTEGER -> {
                tokens.take();
                yield new Expression.Literal(integer(token), token.at());
            }
            case FLOAT -> {
                tokens.take();
                yield new Expression.Literal(Double.valueOf(token.text()), token.at());
            }
            case OPERATOR -> bracketed(token);
            default -> throw tokens.unexpected("an expression");
        };
    }

    private static Object integer(Token token) {
        String text = token.text();
        int radix = text.length() > 1
                ? switch (text.charAt(1)) {
                    case 'x', 'X' -> 16;
                    case 'o', 'O' -> 8;
                    case 'b', 'B' -> 2;
                    default -> 10;
                }
                : 10;
        try {
            return new BigInteger(radix == 10 ? text : text.substring(2), radix).longValueExact();
        } catch (ArithmeticException | NumberFormatException e) {
            throw new TemplateFault("'" + Text.shorten(text) + "' is not an integer of 64 bits", token.at());
        }
    }

    private Expression bracketed(Token token) {
        tokens.enter();
        Expression value;
        if (tokens.takeOperator("(")) {
            if (tokens.takeOperator(")")) {
                value = new Expression.TupleOf(List.of(), token.at());
            } else {
                value = tuple(true);
                tokens.expectOperator(")");
            }
        } else if (tokens.takeOperator("[")) {
            List<Expression> elements = new ArrayList<>();
            while (!tokens.takeOperator("]")) {
                comma(elements.isEmpty());
                if (!tokens.current().isOperator("]")) {
                    elements.add(expression());
                }
            }
            value = new Expression.ListOf(List.copyOf(elements), token.at());
        } else if (tokens.takeOperator("{")) {
            List<Expression.DictOf.Entry> entries = new ArrayList<>();
            while (!tokens.takeOperator("}")) {
                comma(entries.isEmpty());
                if (!tokens.current().isOperator("}")) {
                    Expression key = expression();
                    tokens.expectOperator(":");
                    entries.add(new Expression.DictOf.Entry(key, expression()));
                }
            }
            value = new Expression.DictOf(List.copyOf(entries), token.at());
        } else {
            throw tokens.unexpected("an expression");
        }
        tokens.leave();
        return value;
    }

    private void comma(boolean first) {
        if (!first) {
            tokens.expectOperator(",");
        }
    }

    private Expression postfix(Expression from) {
        Expression value = from;
        for (int chain = 0; ; chain++) {
            Token token = tokens.current();
            limit(chain, token.at());
            if (tokens.takeOperator(".")) {
                Token name = tokens.take();
                value = switch (name.kind()) {
                    case NAME -> new Expression.Attribute(value, name.text(), name.at());
                    case INTEGER ->
                        new Expression.Item(value, new Expression.Literal(integer(name), name.at()), name.at());
                    default ->
                        throw new TemplateFault("expected a name behind '.', found " + name.describe(), name.at());
                };
            } else if (tokens.takeOperator("[")) {
                tokens.enter();
                value = subscript(value, token.at());
                tokens.leave();
            } else if (token.isOperator("(")) {
                value = new Expression.Call(value, arguments(), token.at());
            } else {
                return value;
            }
        }
    }

    private Expression subscript(Expression target, int at) {
        Expression start = tokens.current().isOperator(":") ? null : expression();
        if (start != null && !tokens.current().isOperator(":")) {
            Expression index = start;
            if (tokens.current().isOperator(",")) {
                List<Expression> elements = new ArrayList<>(List.of(start));
                while (tokens.takeOperator(",")) {
                    elements.add(expression());
                }
                index = new Expression.TupleOf(List.copyOf(elements), at);
            }
            tokens.expectOperator("]");
            return new Expression.Item(target, index, at);
        }
        tokens.expectOperator(":");
        Expression stop = sliceEnds() ? null : expression();
        Expression step = tokens.takeOperator(":") && !sliceEnds() ? expression() : null;
        tokens.expectOperator("]");
        return new Expression.Slice(target, start, stop, step, at);
    }

    private boolean sliceEnds() {
        return tokens.current().isOperator(":") || tokens.current().isOperator("]");
    }

    private Expression filters(Expression from) {
        Expression value = from;
        for (int chain = 0; ; chain++) {
            Token token = tokens.current();
            limit(chain, token.at());
            if (tokens.takeOperator("|")) {
                value = filter(value);
            } else if (token.isName("is")) {
                tokens.take();
                value = test(value);
            } else if (token.isOperator("(")) {
                value = new Expression.Call(value, arguments(), token.at());
            } else {
                return value;
            }
        }
    }

    /** A filter's name and arguments, and those of more filters behind it for a block's head. */
    Expression.Filter blockFilter() {
        Expression.Filter filter = filter(null);
        for (int chain = 0; tokens.takeOperator("|"); chain++) {
            limit(chain, tokens.current().at());
            filter = filter(filter);
        }
        return filter;
    }

    private Expression.Filter filter(@Nullable Expression value) {
        int at = tokens.current().at();
        String name = dottedName("the name of a filter");
        Arguments arguments = tokens.current().isOperator("(") ? arguments() : Arguments.NONE;
        return new Expression.Filter(value, name, arguments, at);
    }

    private Expression test(Expression value) {
        boolean negated = tokens.takeName("not");
        int at = tokens.current().at();
        String name = dottedName("the name of a test");
        Arguments arguments = Arguments.NONE;
        Token token = tokens.current();
        if (token.isOperator("(")) {
            arguments = arguments();
        } else if (beginsArgument(token)) {
            if (token.isName("is")) {
                throw new TemplateFault("one 'is' can't follow another", token.at());
            }
            arguments = new Arguments(List.of(postfix(primary())), List.of(), null, null);
        }
        return new Expression.Test(value, name, arguments, negated, at);
    }

    private static boolean beginsArgument(Token token) {
        return switch (token.kind()) {
            case NAME -> !token.isName("else") && !token.isName("or") && !token.isName("and");
            case STRING, INTEGER, FLOAT -> true;
            case OPERATOR -> token.isOperator("[") || token.isOperator("{");
            default -> false;
        };
    }

    private String dottedName(String what) {
        StringBuilder name = new StringBuilder(tokens.expect(Kind.NAME, what).text());
        while (tokens.takeOperator(".")) {
            name.append('.').append(tokens.expect(Kind.NAME, what).text());
        }
        return name.toString();
    }

    private Arguments arguments() {
        tokens.enter();
        tokens.expectOperator("(");
        List<Expression> positional = new ArrayList<>();
        List<Arguments.Named> named = new ArrayList<>();
        Expression rest = null;
        Expression namedRest = null;
        boolean first = true;
        while (!tokens.takeOperator(")")) {
            comma(first);
            first = false;
            Token token = tokens.current();
            if (token.isOperator(")")) {
                continue;
            }
            boolean ordered;
            if (tokens.takeOperator("**")) {
                ordered = namedRest == null;
                namedRest = expression();
            } else if (tokens.takeOperator("*")) {
                ordered = rest == null && namedRest == null;
                rest = expression();
            } else if (token.kind() == Kind.NAME && tokens.look().isOperator("=")) {
                ordered = namedRest == null;
                tokens.take();
                tokens.take();
                named.add(new Arguments.Named(token.text(), expression()));
            } else {
                ordered = named.isEmpty() && rest == null && namedRest == null;
                positional.add(expression());
            }
            if (!ordered) {
                throw new TemplateFault("an argument stands behind others that must come last", token.at());
            }
        }
        tokens.leave();
        return positional.isEmpty() && named.isEmpty() && rest == null && namedRest == null
                ? Arguments.NONE
                : new Arguments(List.copyOf(positional), List.copyOf(named), rest, namedRest);
    }

    private static void limit(int chain, int at) {
        if (chain > MAX_CHAIN) {
            throw new TemplateFault("more than " + MAX_CHAIN + " operations in one chain", at);
        }
    }
}
