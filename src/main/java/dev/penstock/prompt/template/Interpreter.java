package dev.penstock.prompt.template;

import dev.penstock.prompt.template.Statement.Parameter;
import dev.penstock.prompt.template.Statement.Target;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
    record Macro(String name, Statement.Routine routine, Scope scope) implements Function {
        @Override
        public Object call(Args args, Interpreter interpreter) {
            return interpreter.call(this, args);
        }
    }

    private final Budget budget = new Budget();
    private final Evaluator evaluator;
    private final Repr repr = new Repr(budget);
    private StringBuilder out = new StringBuilder();
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
                runFor(loop, evaluator.value(loop.iterable(), scope), scope, 1);
                yield Flow.ON;
            }
            case Statement.Set set -> {
                assign(set.target(), evaluator.value(set.value(), scope), scope);
                yield Flow.ON;
            }
            case Statement.SetBlock set -> {
                assign(set.target(), filtered(set.filter(), set.body(), scope), scope);
                yield Flow.ON;
            }
            case Statement.Macro macro -> {
                scope.set(macro.name(), new Macro(macro.name(), macro.routine(), scope));
                yield Flow.ON;
            }
            case Statement.CallBlock block -> {
                Macro caller = new Macro("caller", block.routine(), scope);
                printText(evaluator.call(block.call(), caller, scope));
                yield Flow.ON;
            }
            case Statement.FilterBlock block -> {
                printText(filtered(block.filter(), block.body(), scope));
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

    /** Prints what a block made, which Jinja2 wants to be a string already. */
    private void printText(Object value) {
        if (!(Markup.plain(value) instanceof String text)) {
            throw new TemplateFault("a block must make a string, not " + Values.typeName(value));
        }
        print(text);
    }

    /** What a body prints. */
    private String captured(Runnable body) {
        StringBuilder around = out;
        out = new StringBuilder();
        body.run();
        String text = out.toString();
        out = around;
        return text;
    }

    private Object filtered(Expression.@Nullable Filter filter, List<Statement> body, Scope scope) {
        String text = captured(() -> run(body, new Scope(scope)));
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

    private void runFor(Statement.For loop, Object iterable, Scope scope, int depth) {
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
        LoopState state = new LoopState(
                elements,
                depth,
                loop.recursive() ? inner -> captured(() -> runFor(loop, inner, scope, depth + 1)) : null);
        boolean otherwise = true;
        while (state.hasNext()) {
            budget.step();
            Scope inner = new Scope(scope);
            inner.set("loop", state);
            assign(loop.target(), state.next(), inner);
            Flow flow = run(loop.body(), inner);
            if (flow == Flow.BREAK) {
                break;
            }
            otherwise &= flow != Flow.ON;
        }
        // As in Jinja2, and not in Python: else runs where no round came to the end of the body.
        if (otherwise) {
            run(loop.otherwise(), new Scope(scope));
        }
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
        Statement.Routine routine = macro.routine();
        List<Parameter> parameters = routine.parameters();
        Scope scope = new Scope(macro.scope());
        int given = Math.min(args.positional().size(), parameters.size());
        Map<String, Object> named = new LinkedHashMap<>(args.named());
        List<Parameter> missing = new ArrayList<>();
        for (int i = 0; i < parameters.size(); i++) {
            String name = parameters.get(i).name();
            Object value = i < given ? args.positional().get(i) : named.remove(name);
            if (value == null) {
                missing.add(parameters.get(i));
            } else {
                scope.set(name, value);
            }
        }
        if (routine.implicit().contains("caller")) {
            Object caller = named.remove("caller");
            scope.set("caller", caller != null ? caller : new Undefined("no caller is defined"));
        }
        if (routine.implicit().contains("kwargs")) {
            scope.set("kwargs", new LinkedHashMap<Object, Object>(named));
        } else if (!named.isEmpty()) {
            throw new TemplateFault("macro '" + macro.name() + "' has no parameter '"
                    + Text.shorten(named.keySet().iterator().next()) + "', or got it twice");
        }
        List<Object> rest = args.positional().subList(given, args.positional().size());
        if (routine.implicit().contains("varargs")) {
            scope.set("varargs", new Tuple(rest));
        } else if (!rest.isEmpty()) {
            throw new TemplateFault("macro '" + macro.name() + "' takes at most " + parameters.size() + " arguments");
        }
        for (Parameter parameter : missing) {
            Expression defaultValue = parameter.defaultValue();
            scope.set(
                    parameter.name(),
                    defaultValue == null
                            ? new Undefined("parameter '" + parameter.name() + "' was not provided")
                            : evaluator.value(defaultValue, scope));
        }
        return captured(() -> run(routine.body(), scope));
    }
}
