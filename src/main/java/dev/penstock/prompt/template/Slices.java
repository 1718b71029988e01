package dev.penstock.prompt.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Python's indices and slices. */
final class Slices {
    private Slices() {}

    /** {@code target[index]} where target is a string, list or tuple; null if there is no such element. */
    static @Nullable Object element(Object target, long index, Budget budget) {
        if (target instanceof String text) {
            long length = Values.length(text, budget);
            long place = index < 0 ? index + length : index;
            if (place < 0 || place >= length) {
                return null;
            }
            int at = text.offsetByCodePoints(0, (int) place);
            return text.substring(at, text.offsetByCodePoints(at, 1));
        }
        List<Object> elements = Values.sequence(target);
        if (elements == null || target instanceof View) {
            return null;
        }
        long place = index < 0 ? index + elements.size() : index;
        return place < 0 || place >= elements.size() ? null : elements.get((int) place);
    }

    /** {@code target[start:stop:step]}; each may be left out. */
    static Object slice(Object target, @Nullable Long start, @Nullable Long stop, @Nullable Long step, Budget budget) {
        long by = step == null ? 1 : step;
        if (by == 0) {
            throw new TemplateFault("the step of a slice can't be 0");
        }
        if (target instanceof String text) {
            if (by == 1) {
                long length = Values.length(text, budget);
                long from = bound(start, 0, length, 0, length);
                long to = Math.max(from, bound(stop, length, length, 0, length));
                budget.text(to - from);
                int begin = text.offsetByCodePoints(0, (int) from);
                return text.substring(begin, text.offsetByCodePoints(begin, (int) (to - from)));
            }
            budget.steps(text.length());
            StringBuilder result = new StringBuilder();
            pick(Text.characters(text), start, stop, by, budget).forEach(result::append);
            budget.text(result.length());
            return result.toString();
        }
        List<Object> elements = Values.sequence(target);
        if (elements == null || target instanceof View) {
            throw new TemplateFault("'" + Values.typeName(target) + "' object can't be sliced");
        }
        List<Object> picked = pick(elements, start, stop, by, budget);
        return target instanceof Tuple ? new Tuple(picked) : picked;
    }

    private static List<Object> pick(
            List<Object> elements, @Nullable Long start, @Nullable Long stop, long by, Budget budget) {
        int length = elements.size();
        List<Object> picked = new ArrayList<>();
        if (by > 0) {
            long to = bound(stop, length, length, 0, length);
            for (long i = bound(start, 0, length, 0, length); i < to; i = Math.addExact(i, Math.min(by, length))) {
                budget.step();
                picked.add(elements.get((int) i));
            }
        } else {
            long to = bound(stop, -1, length, -1, length - 1L);
            for (long i = bound(start, length - 1L, length, -1, length - 1L); i > to; i += Math.max(by, -length)) {
                budget.step();
                picked.add(elements.get((int) i));
            }
        }
        return picked;
    }

    private static long bound(@Nullable Long given, long missing, long length, long low, long high) {
        if (given == null) {
            return missing;
        }
        return Math.clamp(given < 0 ? given + length : given, low, high);
    }
}
