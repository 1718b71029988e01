package dev.penstock.prompt.constraint;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntPredicate;

/** A set of code points, as ranges in order with gaps between them. */
record CodePoints(List<Range> ranges) {
    /** From {@code lo} to {@code hi}, both in the set. */
    record Range(int lo, int hi) {}

    static final CodePoints NONE = new CodePoints(List.of());
    static final CodePoints ALL = of(0, Character.MAX_CODE_POINT);
    static final CodePoints DIGITS = of('0', '9');
    static final CodePoints WORD = of('a', 'z').or(of('A', 'Z')).or(DIGITS).or(of('_', '_'));

    /** ECMAScript's WhiteSpace and LineTerminator. */
    static final CodePoints SPACE = of('\t', '\r')
            .or(of(' ', ' '))
            .or(of(0xA0, 0xA0))
            .or(of(0x1680, 0x1680))
            .or(of(0x2000, 0x200A))
            .or(of(0x2028, 0x2029))
            .or(of(0x202F, 0x202F))
            .or(of(0x205F, 0x205F))
            .or(of(0x3000, 0x3000))
            .or(of(0xFEFF, 0xFEFF));

    /** What a dot stands for: all but ends of lines. */
    static final CodePoints DOT =
            of('\n', '\n').or(of('\r', '\r')).or(of(0x2028, 0x2029)).not();

    static CodePoints of(int lo, int hi) {
        return new CodePoints(List.of(new Range(lo, hi)));
    }

    /** All that satisfy a condition. */
    static CodePoints where(IntPredicate condition) {
        List<Range> ranges = new ArrayList<>();
        int from = -1;
        for (int c = 0; c <= Character.MAX_CODE_POINT + 1; c++) {
            boolean in = c <= Character.MAX_CODE_POINT && condition.test(c);
            if (in && from < 0) {
                from = c;
            } else if (!in && from >= 0) {
                ranges.add(new Range(from, c - 1));
                from = -1;
            }
        }
        return new CodePoints(List.copyOf(ranges));
    }

    CodePoints or(CodePoints other) {
        return anyOf(List.of(this, other));
    }

    /** All that is in one of these. */
    static CodePoints anyOf(List<CodePoints> sets) {
        List<Range> all = new ArrayList<>();
        sets.forEach(set -> all.addAll(set.ranges));
        all.sort(Comparator.comparingInt(Range::lo));
        List<Range> merged = new ArrayList<>();
        for (Range range : all) {
            if (!merged.isEmpty() && range.lo() <= merged.getLast().hi() + 1) {
                Range last = merged.removeLast();
                merged.add(new Range(last.lo(), Math.max(last.hi(), range.hi())));
            } else {
                merged.add(range);
            }
        }
        return new CodePoints(List.copyOf(merged));
    }

    CodePoints not() {
        List<Range> gaps = new ArrayList<>();
        int from = 0;
        for (Range range : ranges) {
            if (range.lo() > from) {
                gaps.add(new Range(from, range.lo() - 1));
            }
            from = range.hi() + 1;
        }
        if (from <= Character.MAX_CODE_POINT) {
            gaps.add(new Range(from, Character.MAX_CODE_POINT));
        }
        return new CodePoints(List.copyOf(gaps));
    }
}
