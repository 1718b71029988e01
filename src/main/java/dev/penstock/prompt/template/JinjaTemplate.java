package dev.penstock.prompt.template;

import dev.penstock.prompt.ChatTemplate;
import dev.penstock.prompt.TemplateException;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A chat template in the dialect of Hugging Face: Jinja2 with {@code trim_blocks}, {@code lstrip_blocks}, loop controls
 * and {@code generation}, in a sandbox that changes no value. Safe for many threads.
 *
 * <p>Known differences from Jinja2: integers have 64 bits and fault beyond; there is no inheritance, include or import;
 * filters and tests that don't exist are found when they are
 * reached; of Jinja2's filters those for web pages and long lines are missing ({@code urlize}, {@code wordwrap}, ...);
 * slicing a literal that can't be sliced is a fault, as it is with variables.
 */
public final class JinjaTemplate implements ChatTemplate {
    /** Longest template; real ones have up to 20,000 chars. */
    static final int MAX_TEMPLATE_CHARS = 1 << 20;

    private final String source;
    private final List<Statement> body;
    private final Globals globals;

    private JinjaTemplate(String source, List<Statement> body, Globals globals) {
        this.source = source;
        this.body = body;
        this.globals = globals;
    }

    /**
     * Compiles a template.
     *
     * @param clock what {@code strftime_now} shows, in its zone
     * @throws TemplateException it is not a template of the supported dialect
     */
    public static JinjaTemplate compile(String template, Clock clock) {
        if (template.length() > MAX_TEMPLATE_CHARS) {
            throw new TemplateException(
                    "the template has " + template.length() + " characters, more than " + MAX_TEMPLATE_CHARS);
        }
        String source = Lexer.normalize(template);
        try {
            return new JinjaTemplate(source, StatementParser.parse(Lexer.lex(source)), new Globals(clock));
        } catch (TemplateFault fault) {
            throw located(source, fault, fault.at());
        }
    }

    @Override
    public String render(Map<String, @Nullable Object> variables) {
        Interpreter interpreter = new Interpreter(globals);
        try {
            return interpreter.run(body, variables);
        } catch (TemplateFault fault) {
            throw located(source, fault, fault.at() < 0 ? interpreter.at() : fault.at());
        } catch (StackOverflowError e) {
            throw located(source, new TemplateFault("the template goes too deep"), interpreter.at());
        }
    }

    private static TemplateException located(String source, TemplateFault fault, int at) {
        int line =
                1 + (int) source.substring(0, at).chars().filter(c -> c == '\n').count();
        int column = at - source.lastIndexOf('\n', at - 1);
        String message = String.valueOf(fault.getMessage());
        return fault.isRaised()
                ? TemplateException.raised(message, line, column)
                : new TemplateException(message, line, column);
    }
}
