package dev.penstock.prompt.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Regular expressions against the implementation of the JDK. */
class RegexParserTest {
    private static final String ALPHABET = "abc1 -é漢😀";

    static boolean matches(Regex regex, String text) {
        Regex at = regex;
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            at = at.derivative(b & 0xFF);
        }
        return at.isNullable();
    }

    @Test
    void randomPatternsMatchWhatTheJdkSays() {
        int matched = 0;
        for (int seed = 0; seed < 3000; seed++) {
            Random random = new Random(seed);
            String pattern = pattern(random, 3);
            Regex whole = RegexParser.whole(pattern);
            Regex somewhere = RegexParser.somewhere(pattern, RegexParser::utf8);
            Pattern jdk = Pattern.compile(pattern);
            for (int i = 0; i < 40; i++) {
                String text = text(random, random.nextInt(7));
                boolean expected = jdk.matcher(text).matches();
                matched += expected ? 1 : 0;
                assertThat(matches(whole, text)).as("%s on '%s'", pattern, text).isEqualTo(expected);
                assertThat(matches(somewhere, text))
                        .as("%s in '%s'", pattern, text)
                        .isEqualTo(jdk.matcher(text).find());
            }
        }
        assertThat(matched).isGreaterThan(5000);
    }

    private static String text(Random random, int length) {
        int[] points = ALPHABET.codePoints().toArray();
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.appendCodePoint(points[random.nextInt(points.length)]);
        }
        return text.toString();
    }

    private static String pattern(Random random, int depth) {
        return switch (random.nextInt(depth > 0 ? 9 : 4)) {
            case 0, 1 -> text(random, 1);
            case 2 -> pick(random, ".", "\\d", "\\D", "\\w", "\\s", "\\S", "\\x61", "\\u00e9", "\\p{L}", "\\P{Lu}");
            case 3 -> pick(random, "[abc]", "[^a1]", "[a-c\\d]", "[\\-é]", "[漢-😀]", "[^\\s]", "[\\w -]");
            case 4 -> pattern(random, depth - 1) + pattern(random, depth - 1);
            case 5 -> "(" + pattern(random, depth - 1) + "|" + pattern(random, depth - 1) + ")";
            case 6 -> "(?:" + pattern(random, depth - 1) + ")" + pick(random, "*", "+", "?", "*?");
            case 7 -> "(" + pattern(random, depth - 1) + ")" + pick(random, "{2}", "{1,}", "{0,2}", "{1,3}", "{2,4}?");
            default -> pattern(random, depth - 1) + text(random, 1) + "?";
        };
    }

    private static String pick(Random random, String... from) {
        return from[random.nextInt(from.length)];
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {"^ab$ ab", "^a|b$ xxb", "^a|b$ axx", "ab xabx", "^\\d{3}$ 123", "(?<year>\\d{4}) in2026", "\\p{Lu}+ xÄx"})
    void anchorsAndGroupsAreFoundInTexts(String pattern, String text) {
        assertThat(matches(RegexParser.somewhere(pattern, RegexParser::utf8), text))
                .isTrue();
    }

    @Test
    void anchorsHoldAMatchToTheEnds() {
        Regex regex = RegexParser.somewhere("^ab$", RegexParser::utf8);
        assertThat(matches(regex, "xab")).isFalse();
        assertThat(matches(regex, "abx")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(a)\\1", "(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b", "\\ba", "(?i)a", "a**", "*a", "(a", "a)", "[a", "[b-a]", "a{3,2}",
                "\\", "\\u12", "\\p{Greek}", "a$b", "(^a)b", "a++", "\\q", "a{1,999999}"
            })
    void whatIsNotRegularOrNotWellFormedIsRefusedWithItsPlace(String pattern) {
        assertThatThrownBy(() -> RegexParser.whole(pattern))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining("at character");
    }

    @Test
    void towersOfGroupsAreRefused() {
        assertThatThrownBy(() -> RegexParser.whole("(".repeat(5000) + ")".repeat(5000)))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining("nested too deeply");
    }
}
