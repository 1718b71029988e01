package dev.penstock.prompt.template;

import dev.penstock.prompt.template.Statement.Parameter;
import dev.penstock.prompt.template.Statement.Target;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Runs a template's statements once. Variables have Jinja2's scopes: a loop's round, a macro, and the bodies of call,
 * filter, set and with have their own, {@code if} has not.
 */
final class Interpreter {
    /** How a body ended. */
    private enum Flow {
        ON,
        BREAK,
        CONTINUE
    }

    /** A macro, or the body of a call block, with the scope that it was written in. */
    record Macro(String name, List<Parameter> parameters, List<Statement> body, Scope scope) implements Function {
        @Override
        public Object call(Args args, Interpreter interpreter) {
            return interpreter.call(this, args);
        }
    }

    private final Budget budget = new Budget();
    private final Evaluator evaluator;
    private final Repr repr = new Repr(budget);
    private StringBuilder out = new StringBuilder();
    private int loopDepth;
    private int at;

    Interpreter(Globals globals) {
        this.evaluator = new Evaluator(this, globals);
    }

    /** Renders a whole template. */
    String run(List<Statement> body, Map<String, @Nullable Object> variables) {
        Scope scope = new Scope(null);
        variables.forEach((name, value) -> scope.set(name, Values.of(value, 0)));
        run(body, scope);
        return out.toString();
    }

    Budget budget() {
        return budget;
    }

    Evaluator evaluator() {
        return evaluator;
    }

    Repr repr() {
        return repr;
    }

    /** Place in the source of what is being done. */
    int at() {
        return at;
    }

    void at(int place) {
        at = place;
    }

    private Flow run(List<Statement> body, Scope scope) {
        budget.enter();
        for (Statement statement : body) {
            budget.step();
            Flow flow = run(statement, scope);
            if (flow != Flow.ON) {
                budget.leave();
                return flow;
            }
        }
        budget.leave();
        return Flow.ON;
    }

    private Flow run(Statement statement, Scope scope) {
        at = statement.at();
        return switch (statement) {
            case Statement.Data data -> {
                print(data.text());
                yield Flow.ON;
            }
            case Statement.Output output -> {
                print(repr.str(evaluator.value(output.value(), scope)));
                yield Flow.ON;
            }
            case Statement.If choice -> runIf(choice, scope);
            case Statement.For loop -> {
                runFor(loop, scope);
                yield Flow.ON;
            }
            case Statement.Set set -> {
                assign(set.target(), evaluator.value(set.value(), scope), scope);
                yield Flow.ON;
            }
            case Statement.SetBlock set -> {
                assign(set.target(), filtered(set.filter(), captured(set.body(), new Scope(scope)), scope), scope);
                yield Flow.ON;
            }
            case Statement.Macro macro -> {
                scope.set(macro.name(), new Macro(macro.name(), macro.parameters(), macro.body(), scope));
                yield Flow.ON;
            }
            case Statement.CallBlock block -> {
                Macro caller = new Macro("caller", block.parameters(), block.body(), scope);
                print(repr.str(evaluator.call(block.call(), caller, scope)));
                yield Flow.ON;
            }
            case Statement.FilterBlock block -> {
                print(repr.str(filtered(block.filter(), captured(block.body(), new Scope(scope)), scope)));
                yield Flow.ON;
            }
            case Statement.Scoped scoped -> {
                Scope inner = new Scope(scope);
                for (Statement.Scoped.Binding binding : scoped.bindings()) {
                    assign(binding.target(), evaluator.value(binding.value(), scope), inner);
                }
                yield run(scoped.body(), inner);
            }
            case Statement.Break end -> Flow.BREAK;
            case Statement.Continue end -> Flow.CONTINUE;
        };
    }

    private void print(String text) {
        budget.text(text.length());
        out.append(text);
    }

    /** What a body prints. */
    private String captured(List<Statement> body, Scope scope) {
        StringBuilder around = out;
        out = new StringBuilder();
        run(body, scope);
        String text = out.toString();
        out = around;
        return text;
    }

    private Object filtered(Expression.@Nullable Filter filter, String text, Scope scope) {
        return filter == null ? text : evaluator.blockFilter(filter, text, scope);
    }

    private Flow runIf(Statement.If choice, Scope scope) {
        for (Statement.If.Branch branch : choice.branches()) {
            if (Values.isTrue(evaluator.value(branch.condition(), scope))) {
                return run(branch.body(), scope);
            }
        }
        return run(choice.otherwise(), scope);
    }

    private void runFor(Statement.For loop, Scope scope) {
        Object iterable = evaluator.value(loop.iterable(), scope);
        at = loop.iterable().at();
        List<Object> elements = Values.list(iterable, budget);
        Expression filter = loop.filter();
        if (filter != null) {
            List<Object> chosen = new ArrayList<>();
            for (Object element : elements) {
                Scope inner = new Scope(scope);
                assign(loop.target(), element, inner);
                if (Values.isTrue(evaluator.value(filter, inner))) {
                    chosen.add(element);
                }
            }
            elements = chosen;
        }
        if (elements.isEmpty()) {
            run(loop.otherwise(), new Scope(scope));
            return;
        }
        loopDepth++;
        LoopState state = new LoopState(elements, loopDepth);
        while (state.hasNext()) {
            budget.step();
            Scope inner = new Scope(scope);
            inner.set("loop", state);
            assign(loop.target(), state.next(), inner);
            if (run(loop.body(), inner) == Flow.BREAK) {
                break;
            }
        }
        loopDepth--;
    }

    private void assign(Target target, Object value, Scope scope) {
        switch (target) {
            case Target.Variable variable -> scope.set(variable.name(), value);
            case Target.Attribute attribute -> {
                at = attribute.at();
                if (!(scope.get(attribute.namespace()) instanceof Namespace namespace)) {
                    throw new TemplateFault("'" + Text.shorten(attribute.namespace())
                            + "' is not a namespace, whose attributes could be set");
                }
                namespace.set(attribute.name(), value);
            }
            case Target.Several several -> {
                at = several.at();
                List<Object> values = Values.list(value, budget);
                if (values.size() != several.targets().size()) {
                    throw new TemplateFault("can't assign " + values.size() + " values to "
                            + several.targets().size() + " variables");
                }
                for (int i = 0; i < values.size(); i++) {
                    assign(several.targets().get(i), values.get(i), scope);
                }
            }
        }
    }

    private Object call(Macro macro, Args args) {
        List<Parameter> parameters = macro.parameters();
        Scope scope = new Scope(macro.scope());
        Set<String> known = new HashSet<>();
        List<Parameter> missing = new ArrayList<>();
        for (int i = 0; i < parameters.size(); i++) {
            String name = parameters.get(i).name();
            known.add(name);
            Object named = args.named().get(name);
            if (i < args.positional().size()) {
                if (named != null) {
                    throw new TemplateFault("macro '" + macro.name() + "' got two values for '" + name + "'");
                }
                scope.set(name, args.positional().get(i));
            } else if (named != null) {
                scope.set(name, named);
            } else {
                missing.add(parameters.get(i));
            }
        }
        if (args.positional().size() > parameters.size()) {
            throw new TemplateFault("macro '" + macro.name() + "' takes at most " + parameters.size() + " arguments");
        }
        args.named().forEach((name, value) -> {
            if (name.equals("caller")) {
                scope.set(name, value);
            } else if (!known.contains(name)) {
                throw new TemplateFault("macro '" + macro.name() + "' has no parameter '" + Text.shorten(name) + "'");
            }
        });
        for (Parameter parameter : missing) {
            Expression defaultValue = parameter.defaultValue();
            scope.set(
                    parameter.name(),
                    defaultValue == null
                            ? new Undefined("parameter '" + parameter.name() + "' was not provided")
                            : evaluator.value(defaultValue, scope));
        }
        int loops = loopDepth;
        loopDepth = 0;
        String text = captured(macro.body(), scope);
        loopDepth = loops;
        return text;
    }
}
