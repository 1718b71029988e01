package dev.penstock.prompt.template;

import dev.penstock.prompt.template.Token.Kind;
import java.util.List;

/** Where the parsers stand in a template's tokens, and how deeply they are nested. */
final class TokenStream {
    /** Deepest nesting of blocks and brackets; real templates stay below 20. */
    static final int MAX_DEPTH = 100;

    private final List<Token> tokens;
    private int next;
    private int depth;

    TokenStream(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token current() {
        return tokens.get(next);
    }

    Token look() {
        return tokens.get(Math.min(next + 1, tokens.size() - 1));
    }

    /** The token taken last. */
    Token before() {
        return tokens.get(Math.max(next - 1, 0));
    }

    Token take() {
        Token token = current();
        if (token.kind() != Kind.END) {
            next++;
        }
        return token;
    }

    boolean takeOperator(String operator) {
        return current().isOperator(operator) && take().kind() != Kind.END;
    }

    boolean takeName(String name) {
        return current().isName(name) && take().kind() != Kind.END;
    }

    Token expect(Kind kind, String what) {
        if (current().kind() != kind) {
            throw unexpected(what);
        }
        return take();
    }

    void expectOperator(String operator) {
        if (!takeOperator(operator)) {
            throw unexpected("'" + operator + "'");
        }
    }

    void expectName(String name) {
        if (!takeName(name)) {
            throw unexpected("'" + name + "'");
        }
    }

    TemplateFault unexpected(String wanted) {
        return new TemplateFault(
                "expected " + wanted + ", found " + current().describe(),
                current().at());
    }

    void enter() {
        if (++depth > MAX_DEPTH) {
            throw new TemplateFault(
                    "nested more than " + MAX_DEPTH + " deep", current().at());
        }
    }

    void leave() {
        depth--;
    }
}
