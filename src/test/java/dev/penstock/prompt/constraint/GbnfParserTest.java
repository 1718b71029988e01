package dev.penstock.prompt.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GbnfParserTest {
    private static final String JSON =
            """
            # any object
            root   ::= object
            value  ::= object | array | string | number | ("true" | "false" | "null") ws

            object ::=
              "{" ws (
                string ":" ws value
                ("," ws string ":" ws value)*   # members
              )? "}" ws
            array  ::= "[" ws ( value ("," ws value)* )? "]" ws
            string ::= "\\"" ( [^"\\\\\\x7F\\x00-\\x1F] | "\\\\" (["\\\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\\"" ws
            number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws
            ws     ::= | " " | "\\n" [ \\t]{0,20}
            """;

    private static boolean matches(String grammar, String text) {
        Automaton automaton = new Automaton(new Grammar(GbnfParser.parse(grammar)));
        Config at = automaton.start();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            at = automaton.after(at, b & 0xFF);
        }
        return at.accepts();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '\0',
            value = {
                "{};true", "{\"a\": [1, -2.5e3, {\"b\": null}]};true", "{\"a\\u00e9\\\"\": \"漢\"};true", "{\"a\":};false", "{;false",
                "[];false", "{\"a\": 01};false", "{\"a\": \"\\q\"};false", "{\"a\": {\"b\": {\"c\": [[[true]]]}}};true"
            })
    void theGrammarOfJsonReadsJson(String text, boolean is) {
        assertThat(matches(JSON, text)).isEqualTo(is);
    }

    @Test
    void alternativesGoOnOverSeveralLinesAndRulesEndAtTheEndOfTheirs() {
        String grammar = "root ::= a |\n  b # one\n\n  | \"c\"\na ::= \"x\"\r\nb ::= (\"y\"\n | \"z\")\n";
        for (String text : List.of("x", "y", "z", "c")) {
            assertThat(matches(grammar, text)).as(text).isTrue();
        }
        assertThat(matches(grammar, "xy")).isFalse();
    }

    @Test
    void escapesClassesAndCountsAreWhatTheySay() {
        String grammar = "root ::= \"\\x41\\u00e9\\U0001F600\\n\\\"\" [^a-c\\]\\n]{2} .{1,} [\\t\\-x-]? (\"k\"){3,4}";
        assertThat(matches(grammar, "Aé😀\n\"zz\nkkk")).isTrue();
        assertThat(matches(grammar, "Aé😀\n\"zzqq-kkkk")).isTrue();
        assertThat(matches(grammar, "Aé😀\n\"az\nkkk")).isFalse();
        assertThat(matches(grammar, "Aé😀\n\"z]\nkkk")).isFalse();
        assertThat(matches(grammar, "Aé😀\n\"zz\nkk")).isFalse();
    }

    @Test
    void nestingAndRecursionOnTheRightAreReadHoweverDeep() {
        String nested = "root ::= \"(\" root \")\" | \"\"";
        assertThat(matches(nested, "(".repeat(500) + ")".repeat(500))).isTrue();
        assertThat(matches(nested, "(".repeat(500) + ")".repeat(499))).isFalse();
        String list = "root ::= item | item \",\" root\nitem ::= [a-z] | \"<\" root \">\"";
        assertThat(matches(list, "a,".repeat(3000) + "<b,<c>>")).isTrue();
        String ambiguous = "root ::= \"a\" | \"a\" root | \"aa\" root root?";
        assertThat(matches(ambiguous, "a".repeat(200))).isTrue();
        assertThat(matches(ambiguous, "a".repeat(200) + "b")).isFalse();
    }

    @Test
    void regularGrammarsMatchWhatThePatternOfTheSameShapeMatches() {
        for (int seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            String[] both = pair(random, 3);
            Pattern pattern = Pattern.compile(both[1]);
            String grammar = "root ::= part part? \"c\"\npart ::= " + both[0];
            Pattern whole = Pattern.compile("(" + both[1] + ")(" + pattern + ")?c");
            for (int i = 0; i < 20; i++) {
                String text = TestVocabulary.text(random, "abc", random.nextInt(6)) + "c";
                assertThat(matches(grammar, text))
                        .as("%s on %s", grammar, text)
                        .isEqualTo(whole.matcher(text).matches());
            }
        }
    }

    /** An expression in GBNF, and as a pattern. */
    private static String[] pair(Random random, int depth) {
        if (depth == 0 || random.nextInt(4) == 0) {
            return random.nextBoolean() ? new String[] {"[a-b]", "[a-b]"} : new String[] {"\"ab\"", "ab"};
        }
        String[] a = pair(random, depth - 1);
        String[] b = pair(random, depth - 1);
        String times = List.of("*", "+", "?", "{2}", "{1,}", "{0,2}").get(random.nextInt(6));
        return switch (random.nextInt(3)) {
            case 0 -> new String[] {a[0] + " " + b[0], a[1] + b[1]};
            case 1 -> new String[] {"(" + a[0] + " | " + b[0] + ")", "(" + a[1] + "|" + b[1] + ")"};
            default -> new String[] {"(" + a[0] + ")" + times, "(" + a[1] + ")" + times};
        };
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '\0',
            value = {
                "root ::= a;line 1, column 10: the rule 'a' is not defined",
                "root ::= \"a;line 1, column 10: a literal is not closed",
                "root ::= [a;line 1, column 10: a class of characters is not closed",
                "root ::= (\"a\" | \"b\";line 1, column 10: a group is not closed",
                "root ::= \"a\")  ;line 1, column 13: ')' is not expected",
                "root = \"a\";line 1, column 6: '::=' is missing",
                "root ::= * ;line 1, column 10: there is nothing to repeat",
                "root ::= \"a\"{3,2};the upper bound",
                "root ::= \"a\"{2;'}' is missing",
                "root ::= \"a\"{9999999};a count must be",
                "root ::= \"\\q\";the escape \\q is not known",
                "root ::= \"\\ud800\";no character of Unicode",
                "root ::= [b-a];in the wrong order",
                "root ::= <think>;angle brackets",
                "a ::= \"x\";has no rule 'root'",
                "root ::= root \"a\" | \"a\";the rule 'root' begins with itself",
                "root ::= \"a\" root;no text"
            })
    void whatIsWrongIsSaidWithItsPlace(String grammar, String message) {
        assertThatThrownBy(() -> new Grammar(GbnfParser.parse(grammar)))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining(message);
    }

    @Test
    void placesAreOfTheLineThatTheyAreIn() {
        assertThatThrownBy(() -> GbnfParser.parse("root ::= \"a\"\n\nb ::= \"b\"\n  ?"))
                .hasMessageContaining("line 4, column 3");
        assertThatThrownBy(() -> GbnfParser.parse("root ::= \"a\"\nroot ::= \"b\"")).hasMessageContaining("line 2, column 1");
    }

    @Test
    void towersOfGroupsAndHugeGrammarsAreRefused() {
        assertThatThrownBy(() -> GbnfParser.parse("root ::= " + "(".repeat(10_000)))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining("nested too deeply");
        assertThatThrownBy(() -> GbnfParser.parse("root ::= \"a\"" + "?".repeat(10_000)))
                .isInstanceOf(ConstraintException.class);
        assertThatThrownBy(() -> GbnfParser.parse(" ".repeat(1_000_000)))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining("longer than");
    }
}
