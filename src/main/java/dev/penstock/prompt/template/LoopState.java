package dev.penstock.prompt.template;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop} of a {@code for} loop. */
final class LoopState {
    private static final Set<String> METHODS = Set.of("cycle", "changed");

    private final List<Object> elements;
    private final int depth;
    private int index = -1;
    private @Nullable List<Object> last;

    /** Before the first of the elements; {@code depth}: loops around this one, plus one. */
    LoopState(List<Object> elements, int depth) {
        this.elements = elements;
        this.depth = depth;
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

    int depth() {
        return depth;
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

    Object call(Args args, Budget budget) {
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
