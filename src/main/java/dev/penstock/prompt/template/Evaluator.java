package dev.penstock.prompt.template;

import dev.penstock.prompt.template.Expression.Arguments;
import dev.penstock.prompt.template.Expression.Operator;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Works out the values of expressions. */
final class Evaluator {
    private final Interpreter interpreter;
    private final Globals globals;
    private final Budget budget;
    private final Filters filters;
    private final Tests tests;

    Evaluator(Interpreter interpreter, Globals globals) {
        this.interpreter = interpreter;
        this.globals = globals;
        this.budget = interpreter.budget();
        this.tests = new Tests(interpreter);
        this.filters = new Filters(interpreter, tests);
    }

    Object value(Expression expression, Scope scope) {
        budget.step();
        if (expression instanceof Expression.Literal literal) {
            return literal.value();
        }
        budget.enter();
        Object value = switch (expression) {
            case Expression.Literal literal -> literal.value();
            case Expression.Name name -> name(name.name(), scope);
            case Expression.Attribute attribute -> {
                Object target = value(attribute.target(), scope);
                interpreter.at(attribute.at());
                yield attribute(target, attribute.name());
            }
            case Expression.Item item -> {
                Object target = value(item.target(), scope);
                Object index = value(item.index(), scope);
                interpreter.at(item.at());
                yield item(target, index);
            }
            case Expression.Slice slice -> slice(slice, scope);
            case Expression.Call call -> call(call, null, scope);
            case Expression.Filter filter -> {
                Expression filtered = filter.value();
                yield filter(filter, filtered == null ? "" : value(filtered, scope), scope);
            }
            case Expression.Test test -> {
                Object tested = value(test.value(), scope);
                Args args = args(test.name(), test.arguments(), scope);
                interpreter.at(test.at());
                yield tests.test(tested, args) != test.negated();
            }
            case Expression.Unary unary -> {
                Object operand = value(unary.operand(), scope);
                interpreter.at(unary.at());
                yield unary.operator() == Operator.NOT
                        ? (Object) !Values.isTrue(operand)
                        : Arithmetic.unary(unary.operator(), operand);
            }
            case Expression.Binary binary -> binary(binary, scope);
            case Expression.Comparison comparison -> comparison(comparison, scope);
            case Expression.Concatenation concatenation -> concatenation(concatenation, scope);
            case Expression.Conditional conditional -> {
                Expression otherwise = conditional.otherwise();
                if (Values.isTrue(value(conditional.condition(), scope))) {
                    yield value(conditional.then(), scope);
                }
                yield otherwise != null
                        ? value(otherwise, scope)
                        : new Undefined("the inline if evaluated to false and has no else");
            }
            case Expression.ListOf list -> values(list.elements(), scope);
            case Expression.TupleOf tuple -> new Tuple(values(tuple.elements(), scope));
            case Expression.DictOf dict -> {
                Map<Object, Object> map = new LinkedHashMap<>();
                for (Expression.DictOf.Entry entry : dict.entries()) {
                    Object key = value(entry.key(), scope);
                    interpreter.at(dict.at());
                    map.put(hashable(key), value(entry.value(), scope));
                }
                yield map;
            }
        };
        budget.leave();
        return value;
    }

    private List<Object> values(List<Expression> expressions, Scope scope) {
        List<Object> values = new ArrayList<>(expressions.size());
        for (Expression expression : expressions) {
            values.add(value(expression, scope));
        }
        return values;
    }

    /** Faults on what can't be a key, in Python as here. */
    static Object hashable(Object value) {
        Object key = Markup.plain(value);
        if (key instanceof List<?> || key instanceof Map<?, ?>) {
            throw new TemplateFault("a " + Values.typeName(key) + " can't be a key");
        }
        return key;
    }

    private Object name(String name, Scope scope) {
        Object value = scope.get(name);
        if (value != null) {
            return value;
        }
        Function global = globals.get(name);
        return global != null ? global : Undefined.name(name);
    }

    /** {@code target.name}: a method goes before a dict's entry of that name. */
    Object attribute(Object target, String name) {
        switch (target) {
            case Undefined undefined -> throw undefined.fault();
            case LoopState loop -> {
                return loop.attribute(name);
            }
            case Namespace namespace -> {
                return namespace.get(name);
            }
            case Tuple tuple
            when tuple.names().contains(name) -> {
                return tuple.elements().get(tuple.names().indexOf(name));
            }
            default -> {
                Object method = Methods.of(target, name);
                if (method != null) {
                    return method;
                }
                Object entry = target instanceof Map<?, ?> map ? map.get(name) : null;
                return entry != null ? entry : Undefined.attribute(target, name);
            }
        }
    }

    /** {@code target[index]}: a dict's entry goes before a method of that name. */
    Object item(Object target, Object key) {
        if (target instanceof Undefined undefined) {
            throw undefined.fault();
        }
        Object index = Markup.plain(key);
        if (target instanceof Map<?, ?> map) {
            Object entry = map.get(index);
            if (entry != null) {
                return entry;
            }
        }
        Object place = index instanceof Boolean flag ? (Object) (flag ? 1L : 0L) : index;
        if (place instanceof Long number) {
            Object element = Slices.element(Markup.plain(target), number, budget);
            if (element == null) {
                return Undefined.element(target, index);
            }
            return target instanceof Markup ? Markup.of(element) : element;
        }
        return index instanceof String name ? attribute(target, name) : Undefined.element(target, index);
    }

    private Object slice(Expression.Slice slice, Scope scope) {
        Object target = value(slice.target(), scope);
        Object start = bound(slice.start(), scope);
        Object stop = bound(slice.stop(), scope);
        Object step = bound(slice.step(), scope);
        interpreter.at(slice.at());
        if (target instanceof Undefined undefined) {
            throw undefined.fault();
        }
        Object part = Slices.slice(Markup.plain(target), longOf(start), longOf(stop), longOf(step), budget);
        return target instanceof Markup ? Markup.of(part) : part;
    }

    private Object bound(@Nullable Expression expression, Scope scope) {
        Object bound = expression == null ? None.NONE : value(expression, scope);
        if (bound instanceof Undefined undefined) {
            throw undefined.fault();
        }
        return bound;
    }

    private static @Nullable Long longOf(Object bound) {
        return switch (bound) {
            case None none -> null;
            case Long number -> number;
            case Boolean flag -> flag ? 1L : 0L;
            default -> throw new TemplateFault("a slice takes integers, not " + Values.typeName(bound));
        };
    }

    /** Calls; {@code caller} is the body of a call block, if there is one. */
    Object call(Expression.Call call, @Nullable Function caller, Scope scope) {
        Object callee = value(call.callee(), scope);
        String name = callee instanceof Function function ? function.name() : "";
        Args args = args(name, call.arguments(), scope);
        interpreter.at(call.at());
        if (!(callee instanceof Function function)) {
            throw callee instanceof Undefined undefined
                    ? undefined.fault()
                    : new TemplateFault("'" + Values.typeName(callee) + "' object can't be called");
        }
        if (caller != null) {
            Map<String, Object> named = new LinkedHashMap<>(args.named());
            named.put("caller", caller);
            args = new Args(name, args.positional(), named);
        }
        return function.call(args, interpreter);
    }

    /** Applies the filters of a block's head to what its body prints. */
    Object blockFilter(Expression.Filter filter, String text, Scope scope) {
        Object value = filter.value() instanceof Expression.Filter inner ? blockFilter(inner, text, scope) : text;
        return filter(filter, value, scope);
    }

    private Object filter(Expression.Filter filter, Object value, Scope scope) {
        Args args = args(filter.name(), filter.arguments(), scope);
        interpreter.at(filter.at());
        return filters.apply(value, args);
    }

    private Args args(String function, Arguments arguments, Scope scope) {
        if (arguments == Arguments.NONE) {
            return Args.none(function);
        }
        List<Object> positional = values(arguments.positional(), scope);
        Map<String, Object> named = Map.of();
        if (!arguments.named().isEmpty() || arguments.namedRest() != null) {
            named = new LinkedHashMap<>();
            for (Arguments.Named argument : arguments.named()) {
                if (named.put(argument.name(), value(argument.value(), scope)) != null) {
                    throw new TemplateFault("the argument '" + argument.name() + "' is given twice");
                }
            }
        }
        Expression rest = arguments.rest();
        if (rest != null) {
            positional.addAll(Values.list(value(rest, scope), budget));
        }
        Expression namedRest = arguments.namedRest();
        if (namedRest != null) {
            Map<Object, Object> dict = Values.dict(value(namedRest, scope));
            if (dict == null) {
                throw new TemplateFault("what stands behind ** must be a dict");
            }
            budget.steps(dict.size());
            for (Map.Entry<Object, Object> entry : dict.entrySet()) {
                named.put(interpreter.repr().str(entry.getKey()), entry.getValue());
            }
        }
        return new Args(function, positional, named);
    }

    private Object binary(Expression.Binary binary, Scope scope) {
        Object left = value(binary.left(), scope);
        if (binary.operator() == Operator.AND || binary.operator() == Operator.OR) {
            boolean decided = Values.isTrue(left) == (binary.operator() == Operator.OR);
            return decided ? left : value(binary.right(), scope);
        }
        Object right = value(binary.right(), scope);
        interpreter.at(binary.at());
        return left instanceof Markup || right instanceof Markup
                ? Markup.binary(binary.operator(), left, right, interpreter)
                : Arithmetic.binary(binary.operator(), left, right, budget);
    }

    private Object comparison(Expression.Comparison comparison, Scope scope) {
        Object left = value(comparison.first(), scope);
        for (Expression.Comparison.Link link : comparison.links()) {
            Object right = value(link.operand(), scope);
            interpreter.at(comparison.at());
            if (!holds(left, link.operator(), right)) {
                return false;
            }
            left = right;
        }
        return true;
    }

    private boolean holds(Object left, Operator operator, Object right) {
        return switch (operator) {
            case EQUAL -> Values.equal(left, right, budget);
            case NOT_EQUAL -> !Values.equal(left, right, budget);
            case IN -> Values.contains(right, left, budget);
            case NOT_IN -> !Values.contains(right, left, budget);
            case LESS -> Values.compare(left, right, operator.sign(), budget) < 0;
            case LESS_OR_EQUAL -> Values.compare(left, right, operator.sign(), budget) <= 0;
            case GREATER -> Values.compare(left, right, operator.sign(), budget) > 0;
            default -> Values.compare(left, right, operator.sign(), budget) >= 0;
        };
    }

    private Object concatenation(Expression.Concatenation concatenation, Scope scope) {
        List<String> parts = new ArrayList<>();
        long length = 0;
        for (Expression part : concatenation.parts()) {
            String text = interpreter.repr().str(value(part, scope));
            parts.add(text);
            length += text.length();
        }
        budget.text(length);
        return String.join("", parts);
    }
}
