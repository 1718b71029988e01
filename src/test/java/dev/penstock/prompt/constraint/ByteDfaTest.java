package dev.penstock.prompt.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Conjunctions and complements against two patterns of the JDK. */
class ByteDfaTest {
    private static final List<String> TEXTS = texts();

    private static List<String> texts() {
        List<String> all = new ArrayList<>(List.of(""));
        for (int from = 0, length = 0; length < 6; length++) {
            int to = all.size();
            for (int i = from; i < to; i++) {
                for (String c : List.of("a", "b", "c")) {
                    all.add(all.get(i) + c);
                }
            }
            from = to;
        }
        return all;
    }

    @Test
    void conjunctionsAndComplementsMatchWhatBothPatternsSay() {
        for (int seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            String a = pattern(random, 3);
            String b = pattern(random, 3);
            Pattern first = Pattern.compile(a);
            Pattern second = Pattern.compile(b);
            Regex both = Regex.and(RegexParser.whole(a), RegexParser.whole(b));
            Regex neither = Regex.not(Regex.union(RegexParser.whole(a), RegexParser.whole(b)));
            Regex only = Regex.and(RegexParser.whole(a), Regex.not(RegexParser.whole(b)));
            for (String text : TEXTS) {
                boolean inFirst = first.matcher(text).matches();
                boolean inSecond = second.matcher(text).matches();
                String name = a + " and " + b + " on '" + text + "'";
                assertThat(RegexParserTest.matches(both, text)).as(name).isEqualTo(inFirst && inSecond);
                assertThat(RegexParserTest.matches(neither, text)).as(name).isEqualTo(!inFirst && !inSecond);
                assertThat(RegexParserTest.matches(only, text)).as(name).isEqualTo(inFirst && !inSecond);
            }
        }
    }

    private static String pattern(Random random, int depth) {
        return switch (random.nextInt(depth > 0 ? 6 : 2)) {
            case 0 -> String.valueOf("abc".charAt(random.nextInt(3)));
            case 1 -> "[ab]";
            case 2, 3 -> pattern(random, depth - 1) + pattern(random, depth - 1);
            case 4 -> "(" + pattern(random, depth - 1) + "|" + pattern(random, depth - 1) + ")";
            default -> "(" + pattern(random, depth - 1) + ")" + List.of("*", "?", "{1,2}").get(random.nextInt(3));
        };
    }

    @Test
    void whatNothingMatchesIsEmptyAndTheRestKnowsItsShortestString() {
        assertThat(Regex.and(Regex.literal("ab"), Regex.literal("ac")).isEmpty()).isTrue();
        assertThat(Regex.not(Regex.ANYTHING).isEmpty()).isTrue();
        Regex a = Regex.repeat(Regex.literal("a"), 3, Regex.UNBOUNDED);
        Regex even = Regex.repeat(Regex.literal("aa"), 0, Regex.UNBOUNDED);
        assertThat(Regex.and(a, even).minBytes()).isEqualTo(4);
        assertThat(Regex.and(a, Regex.not(even)).minBytes()).isEqualTo(3);
    }

    @Test
    void complementsThatExplodeAreRefused() {
        Regex exploding = RegexParser.whole("(a|b)*a(a|b){30}");
        assertThatThrownBy(() -> Regex.not(exploding))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining("too complex");
    }
}
