package dev.penstock.prompt.template;

import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop} of a {@code for} loop; in a recursive one it can be called with what to go through next. */
final class LoopState implements Function {
    private static final Set<String> METHODS = Set.of("cycle", "changed");

    private final List<Object> elements;
    private final int depth;
    private final @Nullable UnaryOperator<Object> recursion;
    private int index = -1;
    private @Nullable List<Object> last;

    /**
     * Before the first of the elements.
     *
     * @param depth 1, and one more within each recursive call
     * @param recursion what a recursive loop's call does with its argument
     */
    LoopState(List<Object> elements, int depth, @Nullable UnaryOperator<Object> recursion) {
        this.elements = elements;
        this.depth = depth;
        this.recursion = recursion;
    }

    @Override
    public String name() {
        return "loop";
    }

    @Override
    public Object call(Args args, Interpreter interpreter) {
        if (recursion == null) {
            throw new TemplateFault("the loop must be marked 'recursive' to be called");
        }
        return recursion.apply(args.expect(1, "iterable").required(0, "iterable"));
    }

    /** What printing it shows. */
    String label() {
        return "<LoopContext " + (index + 1) + "/" + elements.size() + ">";
    }

    boolean hasNext() {
        return index + 1 < elements.size();
    }

    Object next() {
        return elements.get(++index);
    }

    int length() {
        return elements.size();
    }

    Object attribute(String name) {
        return switch (name) {
            case "index" -> index + 1L;
            case "index0" -> (long) index;
            case "revindex" -> (long) elements.size() - index;
            case "revindex0" -> elements.size() - index - 1L;
            case "first" -> index == 0;
            case "last" -> index == elements.size() - 1;
            case "length" -> (long) elements.size();
            case "depth" -> (long) depth;
            case "depth0" -> depth - 1L;
            case "previtem" -> index > 0 ? elements.get(index - 1) : new Undefined("there is no previous item");
            case "nextitem" -> hasNext() ? elements.get(index + 1) : new Undefined("there is no next item");
            default -> METHODS.contains(name) ? new Methods.Bound(this, name) : Undefined.attribute(this, name);
        };
    }

    /** Calls its method {@code cycle} or {@code changed}. */
    Object callMethod(Args args, Budget budget) {
        if (args.function().equals("cycle")) {
            if (args.positional().isEmpty() || !args.named().isEmpty()) {
                throw new TemplateFault("cycle needs something to cycle through");
            }
            return args.positional().get(index % args.positional().size());
        }
        boolean changed = last == null || !Values.equal(last, args.positional(), budget);
        last = args.positional();
        return changed;
    }
}
