package dev.penstock.prompt.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a template does. {@code at} is the place in the source that an error is reported for. */
sealed interface Statement {
    int at();

    /** Text between tags. */
    record Data(String text, int at) implements Statement {}

    /** {@code {{ value }}}. */
    record Output(Expression value, int at) implements Statement {}

    record If(List<Branch> branches, List<Statement> otherwise, int at) implements Statement {
        record Branch(Expression condition, List<Statement> body) {}
    }

    record For(
            Target target,
            Expression iterable,
            @Nullable Expression filter,
            boolean recursive,
            List<Statement> body,
            List<Statement> otherwise,
            int at)
            implements Statement {}

    record Set(Target target, Expression value, int at) implements Statement {}

    /** {@code {% set target | filter %}body{% endset %}}. */
    record SetBlock(Target target, Expression.@Nullable Filter filter, List<Statement> body, int at)
            implements Statement {}

    record Macro(String name, Routine routine, int at) implements Statement {}

    /** {@code {% call(parameters) call %}body{% endcall %}}. */
    record CallBlock(Routine routine, Expression.Call call, int at) implements Statement {}

    record FilterBlock(Expression.Filter filter, List<Statement> body, int at) implements Statement {}

    /** A body with variables of its own: {@code with}, and {@code generation}, which has none. */
    record Scoped(List<Binding> bindings, List<Statement> body, int at) implements Statement {
        record Binding(Target target, Expression value) {}
    }

    record Break(int at) implements Statement {}

    record Continue(int at) implements Statement {}

    /**
     * What a macro or a call block runs.
     *
     * @param implicit which of {@code caller}, {@code varargs} and {@code kwargs} it uses without a parameter of that name
     */
    record Routine(List<Parameter> parameters, java.util.Set<String> implicit, List<Statement> body) {}

    record Parameter(String name, @Nullable Expression defaultValue) {}

    /** What a value is assigned to. */
    sealed interface Target {
        int at();

        record Variable(String name, int at) implements Target {}

        /** An attribute of a namespace. */
        record Attribute(String namespace, String name, int at) implements Target {}

        record Several(List<Target> targets, int at) implements Target {}
    }
}
