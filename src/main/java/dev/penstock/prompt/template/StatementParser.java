package dev.penstock.prompt.template;

import dev.penstock.prompt.template.Statement.Parameter;
import dev.penstock.prompt.template.Statement.Target;
import dev.penstock.prompt.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses a template's tags and what lies between them. */
final class StatementParser {
    private final TokenStream tokens;
    private final ExpressionParser expressions;
    /** Loops around the place being parsed, within the same macro. */
    private int loops;

    private StatementParser(List<Token> tokens) {
        this.tokens = new TokenStream(tokens);
        this.expressions = new ExpressionParser(this.tokens);
    }

    /** The statements of a whole template. */
    static List<Statement> parse(List<Token> tokens) {
        return new StatementParser(tokens).body(Set.of(), null);
    }

    /**
     * Statements up to a tag with one of the given names; the parser then stands on that name.
     *
     * @param opening the tag that these end, or null at the outermost level
     */
    private List<Statement> body(Set<String> ends, @Nullable Token opening) {
        tokens.enter();
        List<Statement> body = new ArrayList<>();
        while (true) {
            Token token = tokens.take();
            switch (token.kind()) {
                case DATA -> body.add(new Statement.Data(token.text(), token.at()));
                case VARIABLE_BEGIN -> {
                    body.add(new Statement.Output(expressions.tuple(true), token.at()));
                    tokens.expect(Kind.VARIABLE_END, "'}}'");
                }
                case BLOCK_BEGIN -> {
                    Token name = tokens.expect(Kind.NAME, "the name of a tag");
                    if (ends.contains(name.text())) {
                        tokens.leave();
                        return List.copyOf(body);
                    }
                    body.add(tag(name));
                }
                case END -> {
                    if (opening != null) {
                        throw new TemplateFault(
                                "'" + opening.text() + "' has no {% end" + opening.text() + " %}", opening.at());
                    }
                    tokens.leave();
                    return List.copyOf(body);
                }
                default -> throw new TemplateFault("unexpected " + token.describe(), token.at());
            }
        }
    }

    /** The name of the tag that ended the last body. */
    private String ending() {
        return tokens.before().text();
    }

    private void endOfTag() {
        tokens.expect(Kind.BLOCK_END, "'%}'");
    }

    private List<Statement> bodyUpTo(String end, Token opening) {
        List<Statement> body = body(Set.of(end), opening);
        endOfTag();
        return body;
    }

    private Statement tag(Token name) {
        return switch (name.text()) {
            case "if" -> ifTag(name);
            case "for" -> forTag(name);
            case "set" -> setTag(name);
            case "macro" -> macroTag(name);
            case "call" -> callTag(name);
            case "filter" -> {
                Expression.Filter filter = expressions.blockFilter();
                endOfTag();
                yield new Statement.FilterBlock(filter, bodyUpTo("endfilter", name), name.at());
            }
            case "with" -> withTag(name);
            case "generation" -> {
                endOfTag();
                yield new Statement.Scoped(List.of(), bodyUpTo("endgeneration", name), name.at());
            }
            case "break", "continue" -> {
                if (loops == 0) {
                    throw new TemplateFault("'" + name.text() + "' outside of a loop", name.at());
                }
                endOfTag();
                yield name.text().equals("break") ? new Statement.Break(name.at()) : new Statement.Continue(name.at());
            }
            case "endif",
                    "endfor",
                    "endset",
                    "endmacro",
                    "endcall",
                    "endfilter",
                    "endwith",
                    "endgeneration",
                    "else",
                    "elif" -> throw new TemplateFault("'" + name.text() + "' without its beginning", name.at());
            default -> throw new TemplateFault("there is no tag '" + Text.shorten(name.text()) + "'", name.at());
        };
    }

    private Statement ifTag(Token name) {
        List<Statement.If.Branch> branches = new ArrayList<>();
        List<Statement> otherwise = List.of();
        boolean more = true;
        while (more) {
            Expression condition = expressions.tuple(false);
            endOfTag();
            branches.add(new Statement.If.Branch(condition, body(Set.of("elif", "else", "endif"), name)));
            switch (ending()) {
                case "elif" -> more = true;
                case "else" -> {
                    endOfTag();
                    otherwise = body(Set.of("endif"), name);
                    more = false;
                }
                default -> more = false;
            }
        }
        endOfTag();
        return new Statement.If(List.copyOf(branches), otherwise, name.at());
    }

    private Statement forTag(Token name) {
        Target target = targets("in");
        tokens.expectName("in");
        Expression iterable = expressions.tuple(false);
        Expression filter = tokens.takeName("if") ? expressions.expression() : null;
        boolean recursive = tokens.takeName("recursive");
        endOfTag();
        loops++;
        List<Statement> body = body(Set.of("else", "endfor"), name);
        loops--;
        List<Statement> otherwise = List.of();
        if (ending().equals("else")) {
            endOfTag();
            otherwise = body(Set.of("endfor"), name);
        }
        endOfTag();
        return new Statement.For(target, iterable, filter, recursive, body, otherwise, name.at());
    }

    private Statement setTag(Token name) {
        Target target = targets("=");
        if (tokens.takeOperator("=")) {
            Expression value = expressions.tuple(true);
            endOfTag();
            return new Statement.Set(target, value, name.at());
        }
        Expression.Filter filter = tokens.takeOperator("|") ? expressions.blockFilter() : null;
        endOfTag();
        return new Statement.SetBlock(target, filter, bodyUpTo("endset", name), name.at());
    }

    private Statement macroTag(Token name) {
        String macro = tokens.expect(Kind.NAME, "the macro's name").text();
        List<Parameter> parameters = parameters();
        endOfTag();
        return new Statement.Macro(macro, routine(parameters, name, "endmacro"), name.at());
    }

    private Statement callTag(Token name) {
        List<Parameter> parameters = tokens.current().isOperator("(") ? parameters() : List.of();
        Token at = tokens.current();
        if (!(expressions.expression() instanceof Expression.Call call)) {
            throw new TemplateFault("expected a call", at.at());
        }
        endOfTag();
        return new Statement.CallBlock(routine(parameters, name, "endcall"), call, name.at());
    }

    /** The body runs elsewhere, so that the loops around it can't be left from it. */
    private Statement.Routine routine(List<Parameter> parameters, Token opening, String end) {
        int loopsAround = loops;
        Set<String> implicitAround = expressions.takeImplicit();
        loops = 0;
        List<Statement> body = bodyUpTo(end, opening);
        loops = loopsAround;
        Set<String> implicit = expressions.takeImplicit();
        expressions.addImplicit(implicitAround);
        expressions.addImplicit(implicit);
        parameters.forEach(parameter -> implicit.remove(parameter.name()));
        return new Statement.Routine(parameters, Set.copyOf(implicit), body);
    }

    private List<Parameter> parameters() {
        List<Parameter> parameters = new ArrayList<>();
        tokens.expectOperator("(");
        while (!tokens.takeOperator(")")) {
            if (!parameters.isEmpty()) {
                tokens.expectOperator(",");
            }
            Token name = tokens.expect(Kind.NAME, "the name of a parameter");
            Expression defaultValue = tokens.takeOperator("=") ? expressions.expression() : null;
            if (defaultValue == null
                    && !parameters.isEmpty()
                    && parameters.getLast().defaultValue() != null) {
                throw new TemplateFault("a parameter without a default stands behind one that has one", name.at());
            }
            parameters.add(new Parameter(name.text(), defaultValue));
        }
        return List.copyOf(parameters);
    }

    private Statement withTag(Token name) {
        List<Statement.Scoped.Binding> bindings = new ArrayList<>();
        while (tokens.current().kind() != Kind.BLOCK_END) {
            if (!bindings.isEmpty()) {
                tokens.expectOperator(",");
            }
            Target target = target();
            tokens.expectOperator("=");
            bindings.add(new Statement.Scoped.Binding(target, expressions.expression()));
        }
        endOfTag();
        return new Statement.Scoped(List.copyOf(bindings), bodyUpTo("endwith", name), name.at());
    }

    /** One target, or several with commas. */
    private Target targets(String end) {
        int at = tokens.current().at();
        Target first = target();
        if (!tokens.current().isOperator(",")) {
            return first;
        }
        List<Target> several = new ArrayList<>(List.of(first));
        while (tokens.takeOperator(",")) {
            Token token = tokens.current();
            if (token.isName(end) || token.isOperator(end) || token.isOperator(")")) {
                break;
            }
            several.add(target());
        }
        return new Target.Several(List.copyOf(several), at);
    }

    private Target target() {
        Token token = tokens.current();
        if (tokens.takeOperator("(")) {
            tokens.enter();
            Target inner = targets(")");
            tokens.expectOperator(")");
            tokens.leave();
            return inner;
        }
        String name = tokens.expect(Kind.NAME, "the name of a variable").text();
        switch (name) {
            case "true", "True", "false", "False", "none", "None" ->
                throw new TemplateFault("'" + name + "' can't be assigned to", token.at());
            default -> {
                return tokens.takeOperator(".")
                        ? new Target.Attribute(
                                name,
                                tokens.expect(Kind.NAME, "the name of an attribute")
                                        .text(),
                                token.at())
                        : new Target.Variable(name, token.at());
            }
        }
    }
}
